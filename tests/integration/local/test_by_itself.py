"""S3's events and the schedules of the template."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from local.errors import LocalError
from local.gateway import arrivals, schedules
from local.gateway.logs import LogSink
from local.gateway.pool import Pool, make_pools
from local.gateway.worker import HandlerError
from local.settings import make_settings
from tests.e2e.client import Api
from tests.integration.local.uploads import announce, is_listed
from tests.integration.run import ROOT, Run
from tests.integration.stores import Stores
from tests.support.events import API_KEY
from tests.support.waiting import wait_until

TEMPLATE = ROOT / "template.yaml"


def test_what_a_killed_run_missed_follows_at_the_next_start(tmp_path: Path) -> None:
    def start() -> tuple[Run, Api]:
        run = Run(tmp_path / "data", TEMPLATE, {"API_KEY": API_KEY, "WORKERS_PER_FUNCTION": "2"})
        return run, Api(run.info["base_url"], API_KEY)

    first, api = start()
    last_sweep = tmp_path / "data" / "SweepFunction.Hourly.ran"
    wait_until(last_sweep.exists)
    image_id, send = announce(api)
    assert send() == 204
    first.stop(signal.SIGKILL)
    os.utime(last_sweep, (time.time() - 3600,) * 2)

    second, api = start()
    wait_until(lambda: is_listed(api, image_id))
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


def test_the_schedules_of_the_template_are_known_and_others_told() -> None:
    _, pools = make_pools(make_settings({}, template=TEMPLATE), None, LogSink(None))
    events = [event for pool in pools.values() for event in pool.spec.events.values()]
    found = [event["Properties"]["Schedule"] for event in events if event["Type"] == "Schedule"]
    assert len(found) >= 3
    assert min(map(schedules.read_seconds, found)) >= 60

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
