"""Parse the events of S3, SQS and schedules. Only this package reads them."""

import json
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from imageapi.events.run_event import Event
from imageapi.model.ids import is_id


class Message(NamedTuple):
    """One message of a queue, about one image."""

    id: str
    image_id: str


class Receipt(NamedTuple):
    """The id of a message of an SQS event, and the receipt handle of this delivery."""

    id: str
    receipt: str


def parse_sweep(event: Event) -> dict[str, Any]:
    """The arguments for ``sweep.run.sweep``, from ``{"dry_run": bool, "compare": bool, "force": bool,
    "object_grace_seconds": int}``; all optional.
    """
    options: dict[str, Any] = {"dry_run": False}
    options |= {name: bool(event[name]) for name in ("dry_run", "compare", "force") if name in event}
    if "object_grace_seconds" in event:
        options["object_grace"] = timedelta(seconds=int(event["object_grace_seconds"]))
    return options


def parse_verify(event: Event) -> dict[str, Any]:
    """The arguments for ``sweep.verify.verify``, from ``{"verify": {"restore": bool, "after": str}}``."""
    options = event["verify"]
    return {"restore": bool(options.get("restore")), "after": str(options.get("after", ""))}


def parse_messages(event: Event) -> list[Message] | None:
    """The messages in an SQS event; None for any other event (the schedule's)."""
    if "Records" not in event:
        return None
    return [
        Message(record["messageId"], str(json.loads(record["body"])["image_id"]))
        for record in event["Records"]
    ]


def parse_notifications(event: Event) -> tuple[list[Message], list[str]]:
    """The bucket's notifications in an SQS event.

    Returns:
        A message for each object whose name is an image id, such as ``invalidations/<id>``; and the ids of
        messages that are not notifications. S3's test message contains no object.
    """
    messages, unreadable = [], []
    for message in event["Records"]:
        try:
            records = json.loads(message["body"]).get("Records", [])
            keys = [record["s3"]["object"]["key"] for record in records]
        except (ValueError, AttributeError, KeyError, TypeError):
            unreadable.append(message["messageId"])
            continue
        names = (key.rpartition("/")[2] for key in keys)
        messages += [Message(message["messageId"], name) for name in names if is_id(name)]
    return messages, unreadable


def comes_from(event: Event, queue_url: str | None) -> bool:
    """Whether an SQS event comes from the queue with this URL. Its ARN and its URL end with its name."""
    name = event["Records"][0]["eventSourceARN"].rpartition(":")[2]
    return queue_url is not None and queue_url.rpartition("/")[2] == name


def parse_receipts(event: Event) -> list[Receipt]:
    """The messages in an SQS event, with any body."""
    return [Receipt(record["messageId"], record["receiptHandle"]) for record in event["Records"]]


def batch_failures(message_ids: Iterable[str]) -> dict[str, Any]:
    """The response to SQS, which redelivers these messages and deletes the others."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}


def unfinished(messages: Iterable[Message], image_ids: Collection[str]) -> dict[str, Any]:
    """As :func:`batch_failures`, for the messages about these images."""
    return batch_failures(message.id for message in messages if message.image_id in image_ids)
