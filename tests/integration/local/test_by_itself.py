"""What `make run` does by itself: S3's events and the schedules of the template."""

import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from local.errors import LocalError
from local.gateway import arrivals, schedules
from local.gateway.logs import LogSink
from local.gateway.pool import Pool, make_pools
from local.gateway.worker import HandlerError
from local.settings import make_settings
from tests.e2e.client import Api
from tests.integration.run import ROOT, Run
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.events import API_KEY
from tests.support.waiting import wait_until

TEMPLATE = ROOT / "template.yaml"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("by-itself") / "data"


def start(data_dir: Path) -> Run:
    return Run(data_dir, TEMPLATE, {"API_KEY": API_KEY, "WORKERS_PER_FUNCTION": "2"})


@pytest.fixture(scope="module")
def run(data_dir: Path) -> Iterator[Run]:
    running = start(data_dir)
    yield running
    running.stop()


def post(run: Run) -> tuple[str, Callable[[], int]]:
    """Announce an upload: its id, and what posts its form."""
    picture = pictures.jpeg_of_size(100_000, seed=uuid.uuid4())
    values = {"filename": "a.jpg", "size_bytes": len(picture), "mime_type": "image/jpeg"}
    ticket = api(run).request("POST", "/api/uploads", body=json.dumps(values).encode()).body["data"]

    def send() -> int:
        fields = {**ticket["form"]["fields"], "file": ("a.jpg", picture)}
        return urllib3.request("POST", ticket["form"]["url"], fields=fields).status

    return ticket["id"], send


def api(run: Run) -> Api:
    return Api(run.info["base_url"], API_KEY)


def is_listed(run: Run, image_id: str) -> bool:
    return image_id in {image["id"] for image in api(run).request("GET", "/api/images").body["images"]}


def count_ingests(run: Run) -> int:
    return run.output.count(" UploadFunction: ingest ")


def test_a_posted_file_is_stored_without_a_call(run: Run) -> None:
    image_id, send = post(run)
    assert send() == 204
    wait_until(lambda: is_listed(run, image_id))
    ingested = count_ingests(run)
    assert send() == 204
    wait_until(lambda: count_ingests(run) > ingested)


def test_what_a_killed_run_missed_follows_at_the_next_start(data_dir: Path) -> None:
    data_dir = data_dir.with_name("killed")
    first = start(data_dir)
    last_sweep = data_dir / "SweepFunction.Hourly.ran"
    wait_until(last_sweep.exists)
    image_id, send = post(first)
    assert send() == 204
    first.stop(signal.SIGKILL)
    os.utime(last_sweep, (time.time() - 3600,) * 2)

    second = start(data_dir)
    wait_until(lambda: is_listed(second, image_id))
    wait_until(lambda: " SweepFunction: sweep " in second.output)
    time.sleep(2)
    assert second.stop() == 0
    assert second.output.count(" SweepFunction: sweep ") == 1


class StubPool(Pool):
    """Keeps events instead of sending them; `errors` are raised for the first ones."""

    def __init__(self, environ: dict[str, str], errors: int = 0) -> None:
        self.environ = environ
        self.events: list[dict[str, Any]] = []
        self._errors = errors

    def invoke(self, event: str, body: bytes = b"") -> bytes:
        self.events.append(json.loads(event))
        if len(self.events) <= self._errors:
            raise HandlerError("raised")
        return b'{"batchItemFailures": []}'


def test_each_object_is_sent_until_the_function_has_taken_it(stores: Stores) -> None:
    s3 = stores.s3
    keys = {"AWS_ACCESS_KEY_ID": s3.access_key, "AWS_SECRET_ACCESS_KEY": s3.secret_key}
    pool = StubPool({"MINIO_ENDPOINT_URL": s3.endpoint_url, "MINIO_BUCKET_NAME": s3.bucket, **keys}, errors=1)
    work = arrivals.make_work({"UploadFunction": pool})
    assert work

    def put(key: str, body: bytes) -> None:
        stores.client.put_object(Bucket=s3.bucket, Key=key, Body=body)

    def sent() -> list[str]:
        while work(None):
            pass
        return [key(event) for event in pool.events]

    def key(event: dict[str, Any]) -> str:
        notification = json.loads(event["Records"][0]["body"])
        return str(notification["Records"][0]["s3"]["object"]["key"])

    put("originals/other", b"a")
    put("incoming/a", b"a")
    put("incoming/ü & 1+1", b"a")
    assert sent() == ["incoming/a", "incoming/%C3%BC+%26+1%2B1"], "the first failed"
    assert len(sent()) == 2, "not at once again"
    wait_until(lambda: len(sent()) == 3)
    put("incoming/a", b"b")
    assert sent()[2:] == ["incoming/a", "incoming/a"]


def test_the_schedules_of_the_template_are_known() -> None:
    _, pools = make_pools(make_settings({}, template=TEMPLATE), None, LogSink(None))
    found = {
        f"{name}.{event}": content["Properties"]
        for name, pool in pools.items()
        for event, content in pool.spec.events.items()
        if content["Type"] == "Schedule"
    }
    assert len(found) >= 3
    for properties in found.values():
        assert schedules.read_seconds(properties["Schedule"]) >= 60


def test_an_interval_that_is_not_known_is_told() -> None:
    assert schedules.read_seconds("rate(5 minutes)") == 300
    assert schedules.read_seconds("cron(20 3 * * ? *)") == 86_400
    with pytest.raises(LocalError, match=r"not the template's cron\(0 9 \? \* MON \*\)"):
        schedules.read_seconds("cron(0 9 ? * MON *)")


@pytest.mark.parametrize("errors", [0, 1])
def test_a_schedule_runs_once_an_interval_whether_it_fails_or_not(tmp_path: Path, errors: int) -> None:
    pool, stamp = StubPool({}, errors), tmp_path / "stamp"
    work = schedules.make_work(pool, {"Schedule": "rate(1 minute)", "Input": '{"compare": true}'}, stamp)
    assert work
    work(None)
    assert pool.events == [], "the first run is a minute away"
    os.utime(stamp, (time.time() - 60,) * 2)
    for _ in range(2):
        try:
            work(None)
        except HandlerError:
            assert errors
    assert pool.events == [{"compare": True}]
