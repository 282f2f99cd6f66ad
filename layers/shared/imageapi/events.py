"""What is not HTTP: events of S3, SQS and schedules, and the log and metrics of the work that they start.

The twin of ``api``. No other module sees an event.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.typing import LambdaContext

from imageapi.config import SECRETS_MAX_AGE, refresh_settings
from imageapi.logs import add_context, get_logger
from imageapi.metrics import record_outcome
from imageapi.time_limits import function_limit

Event = dict[str, Any]
Work = Callable[[Event], dict[str, Any]]


class Message(NamedTuple):
    """One message of the analysis queue."""

    id: str
    image_id: str


def run(
    name: str, work: Work, event: Event, context: LambdaContext, *, counted: bool = False
) -> dict[str, Any]:
    """Do ``work`` on an event that no client waits for, log its outcome and write its metrics.

    Args:
        counted: whether the numbers in the outcome are metrics; not those of a dry run.

    What ``work`` raises is logged and raised again: Lambda then tries again, and after that keeps the event.
    """
    logger = get_logger()
    add_context(context)
    refresh_settings(SECRETS_MAX_AGE)
    try:
        with function_limit(context):
            outcome = work(event)
    except Exception:
        logger.exception(f"{name} failed")
        raise
    logger.info(name, extra=outcome)
    counts = outcome if counted and not outcome.get("dry_run") else {}
    record_outcome(name, counts, context.function_name)
    return outcome


def parse_arrived(event: Event) -> list[str]:
    """The ids of the uploads that an S3 ObjectCreated event names, as they stand in the objects' keys."""
    keys = (unquote_plus(record["s3"]["object"]["key"]) for record in event["Records"])
    return [key.removeprefix("incoming/") for key in keys]


def parse_sweep(event: Event) -> dict[str, Any]:
    """The arguments of ``sweeping.sweep`` in ``{"dry_run": bool, "compare": bool, "force": bool,
    "object_grace_seconds": int}``, all optional.
    """
    options: dict[str, Any] = {"dry_run": False}
    options |= {name: bool(event[name]) for name in ("dry_run", "compare", "force") if name in event}
    if "object_grace_seconds" in event:
        options["object_grace"] = timedelta(seconds=int(event["object_grace_seconds"]))
    return options


def parse_messages(event: Event) -> list[Message] | None:
    """The messages in an event of SQS; None for any other event, which is the schedule's."""
    if "Records" not in event:
        return None
    return [
        Message(record["messageId"], str(json.loads(record["body"])["image_id"]))
        for record in event["Records"]
    ]


def batch_response(outcomes: Mapping[str, str], unfinished: Iterable[Message]) -> dict[str, Any]:
    """What SQS is answered: it delivers the unfinished messages again, and deletes the others.

    Args:
        outcomes: what became of each image, for the log.
    """
    failures = [{"itemIdentifier": message.id} for message in unfinished]
    return {"batchItemFailures": failures, "outcomes": dict(outcomes)}
