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
    # No parameter has it: it is for tests and laptops, and this receiver is on loopback.
    functions = cloud.client("lambda")
    for name in ("ManageFunction", "OutsideFunction"):
        function = cloud.physical_id(STACK, name)
        variables = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        variables["WEBHOOK_ALLOW_PRIVATE"] = "true"
        functions.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
    yield Api(cloud.describe(STACK).base_url, cloud.api_key(STACK))
    cloud.delete(STACK)


def test_a_change_is_delivered_and_retried(cloud: Cloud, api: Api) -> None:
    with receiver() as server:
        server.statuses = [503]
        body = json.dumps({"url": server.url, "types": ["image.uploaded"]}).encode()
        created = api.request("POST", "/api/webhooks", body=body)
        assert created.status == 201, created.body
        webhook = created.body["data"]

        image = api.upload(pictures.jpeg()).image
        wait_until(lambda: len(server.received) == 2, 90)
        wait_until(lambda: _state(api, webhook["id"]) == ["active", 204, 503], 20)

    refused, accepted = server.changes(webhook["secret"])
    assert refused == accepted
    assert accepted["data"]["subject_id"] == image["id"]


def test_the_bucket_tells_the_queue(cloud: Cloud, api: Api) -> None:
    bucket = cloud.describe(STACK).outputs["BucketName"]
    found = cloud.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    rules = {item["Filter"]["Key"]["FilterRules"][0]["Value"]: item for item in found["QueueConfigurations"]}
    rule = rules["webhooks/"]
    url = cloud.physical_id(STACK, "WebhookQueue")
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (rule["QueueArn"], attributes["DelaySeconds"]) == (attributes["QueueArn"], "1")


def _state(api: Api, webhook_id: str) -> list[str | int]:
    webhook = api.request("GET", f"/api/webhooks/{webhook_id}").body["data"]
    return [webhook["state"], *(result["status"] for result in webhook["results"])]
