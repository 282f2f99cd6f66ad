"""Run a function as a CloudFormation custom resource: work during a deploy and report the outcome."""

import hashlib
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from imageapi.deadline import time_limit
from imageapi.errors import AppError
from imageapi.events.run_event import run_event
from imageapi.telemetry.logs import get_logger

TIMEOUT = 20.0
"""Seconds to send the response to CloudFormation."""
ANSWER_SECONDS = 30.0
"""Seconds of the function's time that are reserved for that response: TIMEOUT and a margin."""
RETRY_SECONDS, PAUSE_SECONDS = 90.0, 10.0
"""How long the work is retried, and the pause between attempts. The permissions of a new role take time to
propagate, and a new server may not be reachable yet.
"""
MAX_REASON_LENGTH = 1_000


def answer_cloudformation(
    name: str, work: Callable[[dict[str, Any]], dict[str, Any]], event: dict[str, Any], context: LambdaContext
) -> dict[str, Any]:
    """Do ``work`` if the resource is created or updated. Does nothing if it is deleted.

    After an error of ``work``, CloudFormation rolls back the deploy. If a store or a secret is unavailable,
    ``work`` is first retried for RETRY_SECONDS. Without a response, CloudFormation would wait for the
    resource's ServiceTimeout, so database waits end ANSWER_SECONDS before the function's time is up.

    Returns:
        The response to CloudFormation. The template reads its ``Data`` with ``!GetAtt``: the outcome of
        ``work``, and the fingerprint of each property of the resource whose name ends in ``Settings``.
    """
    answer = {key: event[key] for key in ("RequestId", "StackId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": name}
    try:
        if event["RequestType"] != "Delete":
            left = max(1.0, context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS)
            outcome = run_event(name, partial(_retry, work, left), event, context, in_maintenance=True)
            answer["Data"] = {key: json.dumps(value) for key, value in outcome.items()}
            properties = event["ResourceProperties"].items()
            settings = {name: value for name, value in properties if name.endswith("Settings")}
            answer["Data"] |= {name: fingerprint(value) for name, value in settings.items()}
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:MAX_REASON_LENGTH]
        answer |= {"Status": "FAILED", "Reason": reason}
    _send(event["ResponseURL"], json.dumps(answer).encode())
    return answer


def fingerprint(settings: object) -> str:
    """A hash of ``settings`` in 16 characters, independent of the order of their names."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def _retry(
    work: Callable[[dict[str, Any]], dict[str, Any]], left: float, event: dict[str, Any]
) -> dict[str, Any]:
    """Retry ``work`` until it succeeds, for at most ``left`` seconds."""
    deadline = time.monotonic() + min(RETRY_SECONDS, left)
    with time_limit(left):
        while True:
            try:
                return work(event)
            except AppError as error:
                if error.status < 500 or time.monotonic() + PAUSE_SECONDS > deadline:
                    raise
                get_logger().warning(f"tried again in {PAUSE_SECONDS:.0f} s: {error}")
            time.sleep(PAUSE_SECONDS)


def _send(url: str, body: bytes) -> None:
    from urllib.request import Request, urlopen

    # A presigned S3 URL, signed without a Content-Type.
    request = Request(url, body, {"Content-Type": ""}, method="PUT")  # noqa: S310
    urlopen(request, timeout=TIMEOUT).close()  # noqa: S310
