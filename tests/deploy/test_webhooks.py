"""A stack with webhooks: a change reaches a receiver through S3, SQS, OutsideFunction and ManageFunction."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.cloud import Cloud
from tests.e2e.client import Api
from tests.integration.webhooks.receiver import receiver
from tests.support import pictures
from tests.support.waiting import wait_until

STACK = DATABASE = "hooks"


@pytest.fixture(scope="module")
def api(cloud: Cloud, build: Path) -> Iterator[Api]:
    cloud.deploy(build, STACK, {"Webhooks": "true", "DatabaseSecretArn": cloud.create_database(DATABASE)})
    # The receiver is on loopback. The template omits this variable, which is for tests and laptops.
    for name in ("ManageFunction", "OutsideFunction"):
        cloud.set_variables(STACK, name, cloud.variables(STACK, name) | {"WEBHOOK_ALLOW_PRIVATE": "true"})
    yield Api(cloud.describe(STACK).base_url, cloud.api_key(STACK))
    cloud.delete(STACK)


def test_a_change_is_delivered_and_retried(api: Api) -> None:
    with receiver() as server:
        server.statuses = [500]
        body = json.dumps({"url": server.url, "types": ["image.uploaded"]}).encode()
        created = api.request("POST", "/api/webhooks", body=body)
        assert created.status == 201, created.body
        webhook = created.body["data"]

        image = api.upload(pictures.jpeg()).image
        wait_until(lambda: len(server.received) == 2, 90)
        wait_until(lambda: _state(api, webhook["id"]) == ["active", 204, 500], 20)

    refused, accepted = server.changes(webhook["secret"])
    assert refused == accepted
    assert accepted["data"]["subject_id"] == image["id"]


def _state(api: Api, webhook_id: str) -> list[str | int]:
    webhook = api.request("GET", f"/api/webhooks/{webhook_id}").body["data"]
    return [webhook["state"], *(result["status"] for result in webhook["results"])]
