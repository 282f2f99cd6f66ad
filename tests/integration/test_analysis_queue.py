"""Waking the analysis by SQS, as an emulator has it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi import analysis_queue

from tests.integration.stores import Configure, Stores
from tests.support.aws import emulate_aws, make_client

QUEUE = "analysis"


@pytest.fixture
def sqs(configure: Configure) -> Iterator[Any]:
    """A client; the service is set up for its queue."""
    with emulate_aws() as endpoint:
        client = make_client("sqs", endpoint)
        url = client.create_queue(QueueName=QUEUE)["QueueUrl"]
        credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        configure(AWS_ENDPOINT_URL_SQS=endpoint, AWS_REGION="us-east-1", **credentials)
        configure(ANALYZE_UPLOADS="true", ANALYSIS_QUEUE_URL=url)
        analysis_queue._client.cache_clear()
        yield client
        analysis_queue._client.cache_clear()
        client.delete_queue(QueueUrl=url)


def receive(client: Any) -> list[dict[str, Any]]:
    url = client.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    found: list[dict[str, Any]] = []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found


def test_an_upload_sends_a_message(stores: Stores, sqs: Any) -> None:
    (image_id,) = stores.insert_ready()

    analysis_queue.enqueue(image_id)

    assert receive(sqs) == [{"image_id": image_id}]
    assert stores.execute("SELECT status FROM image_analysis") == [{"status": "queued"}]


def test_the_schedule_sends_again_what_waits_too_long(stores: Stores, sqs: Any) -> None:
    images = stores.insert_ready(25)
    stores.execute(
        """INSERT INTO image_analysis (image_id, status, due_at)
           SELECT id, 'queued', now() - interval '1 hour' FROM image_metadata"""
    )

    assert sorted(analysis_queue.resend_overdue()["resent"]) == images

    assert sorted(message["image_id"] for message in receive(sqs)) == images


def test_a_message_that_cannot_be_sent_is_no_failure(
    stores: Stores, sqs: Any, configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    configure(AWS_ENDPOINT_URL_SQS="http://127.0.0.1:1", ANALYSIS_QUEUE_URL="http://127.0.0.1:1/1/analysis")
    analysis_queue._client.cache_clear()
    (image_id,) = stores.insert_ready()

    analysis_queue.enqueue(image_id)

    assert stores.execute("SELECT status FROM image_analysis") == [{"status": "queued"}]
    assert "analysis not announced" in caplog.text


def test_a_second_message_for_the_same_image_is_as_good_as_one(stores: Stores, sqs: Any) -> None:
    (image_id,) = stores.insert_ready()

    analysis_queue.enqueue(image_id)
    analysis_queue.enqueue(image_id)

    assert receive(sqs) == [{"image_id": image_id}] * 2
    assert stores.execute("SELECT count(*) AS n FROM image_analysis") == [{"n": 1}]
