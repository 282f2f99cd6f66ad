"""Analyses that wait in the queue: messages, attempts, the schedule, and SQS in an emulator."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from imageapi.analysis import enqueue, gemini
from imageapi.config.aws_clients import get_aws_client

from tests.integration.analyses import new_image, queue, queue_event, row, work_on
from tests.integration.client import Json, upload, upload_event
from tests.integration.leftovers import die
from tests.integration.lifecycle import restore_image, trash_image
from tests.integration.stores import Configure, Stores
from tests.support import pictures
from tests.support.aws import emulate_aws, make_client
from tests.support.gemini_server import GeminiServer, busy


def test_uploads_are_queued_if_that_is_on(stores: Stores, server: GeminiServer, configure: Configure) -> None:
    new_image()
    assert not stores.execute("SELECT * FROM image_analysis")
    configure(ANALYZE_UPLOADS="true")

    image_id = new_image()

    assert row(stores, image_id)["status"] == "queued"
    assert work_on(queue_event(image_id)) == {"batchItemFailures": [], "outcomes": {image_id: "ready"}}
    assert row(stores, image_id)["status"] == "ready"


def test_an_image_is_trashed_while_it_is_analysed(stores: Stores, server: GeminiServer) -> None:
    """The result is discarded. The analysis is due again after a restore of the image."""
    image_id = new_image()
    queue(stores, image_id)
    describe = gemini.describe_picture

    def trash_and_describe(jpeg: bytes) -> gemini.Description:
        assert trash_image(image_id).status == 204
        return describe(jpeg)

    with patch.object(gemini, "describe_picture", trash_and_describe):
        assert work_on(queue_event(image_id))["outcomes"][image_id] != "ready"
    assert stores.statuses() == ["trashed"]

    assert restore_image(image_id).status == 200
    assert row(stores, image_id)["status"] == "running"
    stores.execute("UPDATE image_analysis SET lease_until = now()")
    assert work_on(queue_event(image_id))["outcomes"] == {image_id: "ready"}
    types = ["image.uploaded", "image.trashed", "image.restored", "image.analyzed"]
    assert [change["type"] for change in stores.changes(image_id)] == types


def test_a_message_that_comes_twice_for_nothing_or_too_early(stores: Stores, server: GeminiServer) -> None:
    image_id, queued, running = (new_image() for _ in range(3))
    queue(stores, image_id)
    queue(stores, queued, due="1 minute")
    queue(stores, running, "running", due="1 minute")
    gone = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"

    outcome = work_on(queue_event(image_id, image_id, gone, queued, running))
    outcomes = dict.fromkeys((image_id, gone, queued, running), "not_due")
    assert outcome == {"batchItemFailures": [], "outcomes": outcomes}
    assert len(server.requests) == 1


def test_a_message_whose_work_failed_comes_again_until_it_is_given_up(
    stores: Stores, server: GeminiServer, configure: Configure
) -> None:
    configure(ANALYZE_UPLOADS="true")
    server.script = [busy(60)]
    image_id = new_image()

    for attempt in range(1, 6):
        stores.execute("UPDATE image_analysis SET lease_until = now()")
        outcome = work_on(queue_event(image_id))
        assert outcome["batchItemFailures"] == [{"itemIdentifier": "message-0"}]
        found = row(stores, image_id)
        assert (found["status"], found["attempts"]) == ("queued" if attempt < 5 else "failed", attempt)
        assert found["lease_until"] > datetime.now(UTC) + timedelta(seconds=30)

    assert work_on(queue_event(image_id))["outcomes"] == {image_id: "not_due"}


@pytest.mark.parametrize(("analyzed_at", "status"), [(None, "failed"), (datetime.now(UTC), "ready")])
def test_work_that_ends_the_process_is_given_up(
    stores: Stores, server: GeminiServer, analyzed_at: datetime | None, status: str
) -> None:
    """The lease was acquired five times and never released."""
    image_id = new_image()
    queue(stores, image_id, "running")
    stores.execute("UPDATE image_analysis SET attempts = 5, analyzed_at = %s", (analyzed_at,))

    assert work_on(queue_event(image_id))["outcomes"] == {image_id: "not_due"}

    assert not server.requests
    found = row(stores, image_id)
    assert (found["status"], found["failure"]) == (status, "analysis_unavailable")


def test_what_is_over_the_budget_waits(stores: Stores, server: GeminiServer, configure: Configure) -> None:
    configure(ANALYZE_UPLOADS="true", ANALYSIS_DAILY_BUDGET="1")
    stores.execute("INSERT INTO daily_budgets VALUES ('analyses', (now() AT TIME ZONE 'UTC')::date, 1)")
    image_id = new_image()

    outcome = work_on(queue_event(image_id))

    assert outcome == {"batchItemFailures": [], "outcomes": {image_id: "analysis_budget_spent"}}
    found = row(stores, image_id)
    assert (found["status"], found["attempts"]) == ("queued", 0)
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert abs(found["lease_until"] - tomorrow) < timedelta(seconds=5)


def test_the_schedule_finds_what_waits_too_long(stores: Stores) -> None:
    late, stale, soon, done = stores.insert_ready(4)
    queue(stores, late, due="-20 minutes")
    queue(stores, stale, "running", due="-15 minutes")
    queue(stores, soon, due="-1 minute")
    queue(stores, done, "failed", due="-1 day")

    assert work_on({"source": "aws.events", "detail-type": "Scheduled Event"}) == {"resent": [late, stale]}


@pytest.fixture
def sqs(configure: Configure) -> Iterator[Any]:
    """An SQS client; the service is configured for its queue."""
    with emulate_aws() as endpoint:
        client = make_client("sqs", endpoint)
        url = client.create_queue(QueueName="analysis")["QueueUrl"]
        credentials = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        configure(AWS_ENDPOINT_URL_SQS=endpoint, AWS_REGION="us-east-1", **credentials)
        configure(ANALYZE_UPLOADS="true", ANALYSIS_QUEUE_URL=url)
        get_aws_client.cache_clear()
        yield client
        get_aws_client.cache_clear()
        client.delete_queue(QueueUrl=url)


def receive(client: Any) -> list[Json]:
    url = client.get_queue_url(QueueName="analysis")["QueueUrl"]
    found: list[Json] = []
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
    event = upload_event(pictures.jpeg())
    die(stores, event, "catalog.images.insert", "after", variables={"ANALYZE_UPLOADS": "true"})

    assert receive(sqs) == []
    assert stores.statuses() == ["ready"]
    assert stores.execute("SELECT status FROM image_analysis") == [{"status": "queued"}]


def test_the_schedule_sends_again_what_waits_too_long(stores: Stores, sqs: Any, configure: Configure) -> None:
    """It sends no more than today's budget allows."""
    configure(ANALYSIS_DAILY_BUDGET="130")
    stores.execute("INSERT INTO daily_budgets VALUES ('analyses', (now() AT TIME ZONE 'UTC')::date, 10)")
    images = stores.insert_ready(125)
    stores.execute(
        """INSERT INTO image_analysis (image_id, status, lease_until)
           SELECT id, 'queued', now() - interval '1 h' - row_number() OVER (ORDER BY id DESC) * interval '1 s'
           FROM image_metadata"""
    )

    assert sorted(enqueue.resend_overdue()["resent"]) == images[:120], "the longest-waiting ones"
    assert sorted(message["image_id"] for message in receive(sqs)) == images[:120]
    stores.execute("UPDATE daily_budgets SET used = 131")
    assert enqueue.resend_overdue() == {"resent": []}
