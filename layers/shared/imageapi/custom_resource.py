"""A Lambda function as a resource of a CloudFormation stack: do something during a deploy, and tell how it
went.
"""

import json
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from imageapi.logs import log_outcome

TIMEOUT = 20.0
MAX_REASON_LENGTH = 1_000


def answer_cloudformation(
    name: str, work: Callable[[dict[str, Any]], dict[str, Any]], event: dict[str, Any], context: LambdaContext
) -> dict[str, Any]:
    """Do ``work`` when the resource is made or changed, and nothing when it is deleted.

    Whatever ``work`` raises makes CloudFormation undo the deploy. It waits for an answer for as long as the
    resource's ServiceTimeout says, so there always is one.

    Returns:
        What CloudFormation was told.
    """
    answer = {key: event[key] for key in ("RequestId", "StackId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": name}
    try:
        if event["RequestType"] != "Delete":
            outcome = log_outcome(name, work, event, context)
            answer["Data"] = {key: json.dumps(value) for key, value in outcome.items()}
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:MAX_REASON_LENGTH]
        answer |= {"Status": "FAILED", "Reason": reason}
    _send(event["ResponseURL"], json.dumps(answer).encode())
    return answer


def _send(url: str, body: bytes) -> None:
    from urllib.request import Request, urlopen

    # A presigned URL of S3, which was signed for no Content-Type.
    request = Request(url, body, {"Content-Type": ""}, method="PUT")  # noqa: S310
    urlopen(request, timeout=TIMEOUT).close()  # noqa: S310
