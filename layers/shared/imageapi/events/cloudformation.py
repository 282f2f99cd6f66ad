"""A Lambda function as a resource of a CloudFormation stack: do something during a deploy, and tell how it
went.
"""

import hashlib
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from imageapi.errors import AppError
from imageapi.events.run import run
from imageapi.telemetry.logs import get_logger
from imageapi.time_limits import time_limit

TIMEOUT = 20.0
"""Seconds for the answer to CloudFormation."""
ANSWER_SECONDS = 30.0
"""What is kept of the function's time for that answer: TIMEOUT, and some for the rest."""
RETRY_SECONDS, PAUSE_SECONDS = 90.0, 10.0
"""How long the work is retried, and the pause in between: a new role's permissions take a while to apply
everywhere, and a new server may not answer yet.
"""
MAX_REASON_LENGTH = 1_000


def answer_cloudformation(
    name: str, work: Callable[[dict[str, Any]], dict[str, Any]], event: dict[str, Any], context: LambdaContext
) -> dict[str, Any]:
    """Do ``work`` when the resource is made or changed, and nothing when it is deleted.

    Whatever ``work`` raises makes CloudFormation undo the deploy; a store or a secret that cannot be read,
    only after RETRY_SECONDS. CloudFormation waits for an answer for as long as the resource's
    ServiceTimeout says, so whatever happens in here is answered: ANSWER_SECONDS before the function's time is
    up, the database is waited for no longer.

    Returns:
        What CloudFormation was told. Its ``Data`` are what the template gets by ``!GetAtt``: the outcome of
        ``work``, and ``Settings``, a fingerprint of the resource's property of that name.
    """
    answer = {key: event[key] for key in ("RequestId", "StackId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": name}
    try:
        if event["RequestType"] != "Delete":
            left = max(1.0, context.get_remaining_time_in_millis() / 1000 - ANSWER_SECONDS)
            outcome = run(name, partial(_retry, work, left), event, context)
            answer["Data"] = {key: json.dumps(value) for key, value in outcome.items()}
            answer["Data"]["Settings"] = fingerprint(event["ResourceProperties"].get("Settings"))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:MAX_REASON_LENGTH]
        answer |= {"Status": "FAILED", "Reason": reason}
    _send(event["ResponseURL"], json.dumps(answer).encode())
    return answer


def fingerprint(settings: object) -> str:
    """Sixteen characters that differ when ``settings`` do, whatever the order of their names."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def _retry(
    work: Callable[[dict[str, Any]], dict[str, Any]], left: float, event: dict[str, Any]
) -> dict[str, Any]:
    """Try ``work`` until it is done, for at most ``left`` seconds in all."""
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

    # A presigned URL of S3, which was signed for no Content-Type.
    request = Request(url, body, {"Content-Type": ""}, method="PUT")  # noqa: S310
    urlopen(request, timeout=TIMEOUT).close()  # noqa: S310
