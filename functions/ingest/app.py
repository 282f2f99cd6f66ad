"""S3's ObjectCreated events under incoming/: complete presigned uploads without waiting for the client."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.events.messages import parse_arrived
from imageapi.events.run_event import run_event
from imageapi.uploads.complete import complete_uploads


def ingest(event: dict[str, Any]) -> dict[str, Any]:
    """``{"completed": [id], "refused": {id: code}}``."""
    return complete_uploads(parse_arrived(event))


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run_event("ingest", ingest, event, context, wakes=True)
