"""Parts of `make run`, tested without it: S3's events, schedules, and the pools of workers."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local.errors import LocalError
from local.gateway import arrivals, schedules
from local.gateway.logs import LogSink
from local.gateway.pool import QUEUE_SECONDS, Pool, make_pools
from local.gateway.template import read_template
from local.gateway.worker import HandlerError, ThrottledError, lambda_environment
from local.settings import make_settings
from tests import ROOT
from tests.integration.stores import Stores
from tests.support.waiting import wait_until

TEMPLATE = ROOT / "template.yaml"


class StubPool(Pool):
    """Keeps events instead of sending them. The first ones raise `errors`."""

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
    with pytest.raises(LocalError, match=r"schedule cron\(0 9 \? \* MON \*\)"):
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


def test_a_pool_that_closes_ends_what_it_has_begun_and_refuses_what_waits() -> None:
    template = read_template(ROOT / "tests/fixtures/runner/template.yaml")
    spec = template.functions["PlayFunction"]
    pool = Pool(spec, lambda_environment(spec, {}, ("", "")), LogSink(None), size=1)
    event = json.dumps({"pathParameters": {"action": "sleep/0.6"}})
    pool.warm()
    with ThreadPoolExecutor() as threads:
        running = threads.submit(pool.invoke, event)
        time.sleep(0.1)
        waiting = [threads.submit(pool.invoke, event) for _ in range(3)]
        time.sleep(0.1)
        start = time.monotonic()
        pool.close()
        assert json.loads(running.result())["statusCode"] == 200
        for refused in waiting:
            with pytest.raises(ThrottledError):
                refused.result()
    assert time.monotonic() - start < QUEUE_SECONDS / 2
