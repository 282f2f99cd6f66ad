"""`make run` sends webhooks."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.e2e.client import Api
from tests.integration.run import ROOT, Run
from tests.integration.webhooks.receiver import Receiver, receiver
from tests.support import pictures
from tests.support.events import API_KEY
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    variables = {"WEBHOOK_ALLOW_PRIVATE": "true", "API_KEY": API_KEY, "WORKERS_PER_FUNCTION": "2"}
    running = Run(tmp_path_factory.mktemp("webhooks") / "data", ROOT / "template.yaml", variables)
    yield running
    running.stop()


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def test_a_delivery_arrives_within_3_seconds_of_an_upload(run: Run, server: Receiver) -> None:
    api = Api(run.info["base_url"], API_KEY)
    body = json.dumps({"url": server.url, "types": ["image.uploaded"]}).encode()
    answer = api.request("POST", "/api/webhooks", body=body)
    assert answer.status == 201, answer.body
    webhook = answer.body["data"]
    api.request("POST", f"/api/webhooks/{webhook['id']}/test")
    wait_until(lambda: server.received)  # the functions are warm

    image = api.upload(pictures.jpeg()).image
    start = time.monotonic()
    wait_until(lambda: len(server.received) == 2)
    assert time.monotonic() - start < 3

    test, change = server.changes(webhook["secret"])
    assert (test["type"], change["type"]) == ("webhook.test", "image.uploaded")
    assert change["data"]["subject_id"] == image["id"]
    wait_until(lambda: len(results(api, webhook["id"])) == 2)
    assert [result["status"] for result in results(api, webhook["id"])] == [204, 204]
    assert webhook["secret"] not in (run.data_dir / "api.log").read_text()


def results(api: Api, webhook_id: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = api.request("GET", f"/api/webhooks/{webhook_id}").body["data"]["results"]
    return found
