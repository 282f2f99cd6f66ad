"""Events of S3, SQS and schedules: parsing them, and the response to SQS."""

import json
from datetime import timedelta
from typing import Any

import pytest
from imageapi.events import messages as module
from imageapi.events.messages import Message, parse_messages, parse_sweep, parse_verify


def test_the_images_that_the_bucket_notifies_of() -> None:
    image_id = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"
    keys = [f"incoming/{image_id}", "incoming/a+b%2Fc"]
    notified = json.dumps({"Records": [{"s3": {"object": {"key": key}}} for key in keys]})
    bodies = {"m-1": notified, "test": json.dumps({"Event": "s3:TestEvent"}), "m-2": "?"}
    event = {"Records": [{"messageId": name, "body": body} for name, body in bodies.items()]}

    assert module.parse_notifications(event) == ([Message("m-1", image_id)], ["m-2"])


def test_the_queue_of_an_event() -> None:
    event = {"Records": [{"eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:webhooks"}]}
    queues = "https://sqs.us-east-1.amazonaws.com/123456789012"

    assert module.comes_from(event, f"{queues}/webhooks")
    for other in (f"{queues}/other-webhooks", f"{queues}/hooks", None):
        assert not module.comes_from(event, other)


@pytest.mark.parametrize(
    ("event", "options"),
    [
        ({}, {"dry_run": False}),
        ({"source": "aws.events", "time": "2026-11-25T00:00:00Z"}, {"dry_run": False}),
        ({"dry_run": True, "compare": 0, "force": 1}, {"dry_run": True, "compare": False, "force": True}),
        ({"object_grace_seconds": "-60"}, {"dry_run": False, "object_grace": timedelta(seconds=-60)}),
    ],
)
def test_the_options_of_a_sweep(event: dict[str, Any], options: dict[str, Any]) -> None:
    assert parse_sweep(event) == options


def test_the_options_of_a_verify() -> None:
    assert parse_verify({"verify": {}}) == {"restore": False, "after": ""}
    options = {"restore": 1, "after": "originals/x"}
    assert parse_verify({"verify": options}) == {"restore": True, "after": "originals/x"}


def test_the_messages_of_an_sqs_event_and_those_that_it_gets_again() -> None:
    bodies = {"m-1": '{"image_id": "an-id"}', "m-2": '{"image_id": "another-id"}'}
    messages = [Message("m-1", "an-id"), Message("m-2", "another-id")]
    event = {"Records": [{"messageId": name, "body": body} for name, body in bodies.items()]}

    assert parse_messages(event) == messages
    assert parse_messages({"Records": []}) == []
    assert parse_messages({"source": "aws.events"}) is None
    assert module.unfinished(messages, {"an-id"}) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
