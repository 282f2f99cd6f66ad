"""Starting analyses through SQS, in an emulator."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.analysis import enqueue
from imageapi.config.aws_clients import get_aws_client

from tests.integration.client import upload, upload_event
from tests.integration.stores import Configure, Stores
from tests.support import pictures
from tests.support.aws import emulate_aws, make_client
from tests.support.worker import Hook, worker

QUEUE = "analysis"


@pytest.fixture
def sqs(configure: Configure) -> Iterator[Any]:
    """An SQS client; the service is configured for its queue."""
    with emulate_aws() as endpoint:
        client = make_client("sqs", endpoint)
        url = client.create_queue(QueueName=QUEUE)["QueueUrl"]
        credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        configure(AWS_ENDPOINT_URL_SQS=endpoint, AWS_REGION="us-east-1", **credentials)
        configure(ANALYZE_UPLOADS="true", ANALYSIS_QUEUE_URL=url)
        get_aws_client.cache_clear()
        yield client
        get_aws_client.cache_clear()
        client.delete_queue(QueueUrl=url)


def receive(client: Any) -> list[dict[str, Any]]:
    url = client.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    found: list[dict[str, Any]] = []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found


def test_an_upload_sends_a_message_and_does_not_fail_with_it(
    stores: Stores, sqs: Any, configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    image_id = upload(pictures.jpeg()).image["id"]
    assert receive(sqs) == [{"image_id": image_id}]

    configure(AWS_ENDPOINT_URL_SQS="http://127.0.0.1:1", ANALYSIS_QUEUE_URL="http://127.0.0.1:1/1/analysis")
    get_aws_client.cache_clear()
    assert upload(pictures.jpeg()).status == 201
    assert "analysis not announced" in caplog.text
    assert stores.execute("SELECT status FROM image_analysis") == [{"status": "queued"}] * 2


def test_an_upload_that_dies_before_its_message_is_queued(stores: Stores, sqs: Any) -> None:
    with worker(stores.environment | {"ANALYZE_UPLOADS": "true"}) as process:
        process.send(upload_event(pictures.jpeg()), Hook("catalog.images.insert", "after"))
        process.wait_killed()

    assert receive(sqs) == []
    assert stores.statuses() == ["ready"]
    assert stores.execute("SELECT status FROM image_analysis") == [{"status": "queued"}]


def test_the_schedule_sends_again_what_waits_too_long(stores: Stores, sqs: Any, configure: Configure) -> None:
    """Up to the number of analyses left in today's budget."""
    configure(ANALYSIS_DAILY_BUDGET="130")
    stores.execute("INSERT INTO daily_budgets VALUES ('analyses', (now() AT TIME ZONE 'UTC')::date, 10)")
    images = stores.insert_ready(125)
    stores.execute(
        """INSERT INTO image_analysis (image_id, status, lease_until)
           SELECT id, 'queued', now() - make_interval(mins => 60) - (row_number() OVER (ORDER BY id DESC))
                                                                    * interval '1 s'
           FROM image_metadata"""
    )

    assert sorted(enqueue.resend_overdue()["resent"]) == images[:120], "the longest-waiting ones"
    assert sorted(message["image_id"] for message in receive(sqs)) == images[:120]
    stores.execute("UPDATE daily_budgets SET used = 131")
    assert enqueue.resend_overdue() == {"resent": []}
