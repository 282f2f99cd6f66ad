"""S3's ObjectCreated events under incoming/: check and finish presigned uploads without waiting for a
client.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.incoming import ingest_event
from imageapi.logs import log_outcome


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return log_outcome("ingest", ingest_event, event, context)
