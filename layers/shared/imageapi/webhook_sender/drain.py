"""On AWS: take, send and settle until nothing is due. ManageFunction does the work in the database."""

import json
import math
from contextlib import suppress
from typing import Any

from imageapi.config.aws_clients import get_aws_client
from imageapi.config.settings import get_settings
from imageapi.deadline import time_left
from imageapi.errors import ConfigurationError
from imageapi.telemetry.logs import get_logger
from imageapi.webhook_sender.send import TAKE_SECONDS, send_all

INVOKE_SECONDS = 10
"""Seconds to wait for a response of ManageFunction."""
ROUND_SECONDS = TAKE_SECONDS + 2 * INVOKE_SECONDS
"""The longest round: take, send and settle. With less time left, no round begins."""
RETRY_SECONDS = 30
"""The pause after a failure of ManageFunction, because the database may be resuming."""


class _FunctionFailedError(Exception):
    """ManageFunction raised an error, is busy, or does not respond in time."""


def drain_queue() -> dict[str, Any]:
    """Send all due deliveries for which there is time.

    Returns:
        ``{"sent": int, "failed": int, "next_in": int or None}``: ``next_in`` is the seconds after which to
        check again, None if nothing is left to send.
    """
    errors: list[str | None] = []
    next_in: float | None = 0
    try:
        while time_left() > ROUND_SECONDS:
            taken = _invoke({"take": True})
            if not taken["deliveries"]:
                next_in = taken["next_in"]
                break
            for outcome in send_all(taken["deliveries"]):
                errors += [result["error"] for result in outcome["results"]]
                with suppress(_FunctionFailedError):  # sent again when the lease expires
                    _invoke({"settle": [outcome]})
    except _FunctionFailedError as error:
        get_logger().warning("webhooks not read", exc_info=error)
        next_in = RETRY_SECONDS
    sent = errors.count(None)
    wait = None if next_in is None else math.ceil(next_in)
    return {"sent": sent, "failed": len(errors) - sent, "next_in": wait}


def postpone(receipt: str, seconds: int) -> None:
    """Set the time until SQS delivers a message again. Its function must report the message as failed."""
    get_aws_client("sqs").change_message_visibility(
        QueueUrl=get_settings().webhook_queue_url,
        ReceiptHandle=receipt,
        VisibilityTimeout=seconds,
    )


def _invoke(event: dict[str, Any]) -> Any:
    """ManageFunction's result for an event."""
    from botocore.exceptions import BotoCoreError, ClientError

    name = get_settings().manage_function
    if not name:
        raise ConfigurationError("MANAGE_FUNCTION is not set.")
    if time_left() < INVOKE_SECONDS:
        raise _FunctionFailedError
    # One attempt: if the response is lost, its deliveries are sent when their leases expire.
    client = get_aws_client("lambda", read_timeout=INVOKE_SECONDS)
    try:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
    except BotoCoreError as error:  # for example a timeout
        raise _FunctionFailedError from error
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in (429, *range(500, 600)):
            raise _FunctionFailedError from error
        raise
    if "FunctionError" in answer:
        raise _FunctionFailedError
    return payload
