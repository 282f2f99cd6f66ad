"""Events of S3, SQS and schedules: parsing them, and the response to SQS."""

from datetime import timedelta
from typing import Any

import pytest
from imageapi.events.messages import (
    Message,
    batch_response,
    parse_arrived,
    parse_messages,
    parse_sweep,
    parse_verify,
)


def test_the_uploads_of_an_s3_event() -> None:
    keys = ["incoming/0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e", "incoming/a+b%2Fc"]
    event = {"Records": [{"s3": {"object": {"key": key}}} for key in keys]}

    assert parse_arrived(event) == ["0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e", "a b/c"]


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


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, (False, "")), ({"restore": 1, "after": "originals/x"}, (True, "originals/x"))],
)
def test_the_options_of_a_verify(options: dict[str, Any], expected: tuple[bool, str]) -> None:
    restore, after = expected
    assert parse_verify({"verify": options}) == {"restore": restore, "after": after}


def test_the_messages_of_an_sqs_event() -> None:
    event = {"Records": [{"messageId": "m-1", "body": '{"image_id": "an-id"}'}]}

    assert parse_messages(event) == [Message("m-1", "an-id")]
    assert parse_messages({"Records": []}) == []
    assert parse_messages({"source": "aws.events"}) is None


def test_sqs_gets_the_unfinished_messages_again() -> None:
    assert batch_response({"an-id": "analysis_unavailable"}, [Message("m-1", "an-id")]) == {
        "batchItemFailures": [{"itemIdentifier": "m-1"}],
        "outcomes": {"an-id": "analysis_unavailable"},
    }
