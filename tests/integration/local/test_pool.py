"""The workers of one function, without a run around them."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.gateway.logs import LogSink
from local.gateway.pool import QUEUE_SECONDS, Pool
from local.gateway.template import read_template
from local.gateway.worker import ThrottledError, lambda_environment
from tests.integration.run import ROOT


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
