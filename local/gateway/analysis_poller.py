"""Poll for queued analyses, and send them to AnalyzeFunction as SQS events."""

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from local.gateway.pool import Pool
from local.gateway.worker import REGION
from local.settings import Settings

FUNCTION = "AnalyzeFunction"
BATCH = 1
"""BatchSize in the template, since the function's Timeout is for one image."""
WAITING_SQL = """
    SELECT image_id::text FROM image_analysis
    WHERE status IN ('queued', 'running') AND lease_until <= now() ORDER BY lease_until LIMIT %s"""


def is_wanted(settings: Settings) -> bool:
    """Whether ANALYZE_UPLOADS and GEMINI_API_KEY are set."""
    return settings.value("ANALYZE_UPLOADS").lower() == "true" and bool(settings.value("GEMINI_API_KEY"))


def make_work(settings: Settings, pools: Mapping[str, Pool]) -> Callable[[Any], bool] | None:
    """The work that sends one queued analysis to the function; None if analysis is disabled."""
    if FUNCTION not in pools or not is_wanted(settings):
        return None

    def work(connection: Any) -> bool:
        waiting = find_waiting(connection)
        if waiting:
            pools[FUNCTION].invoke(json.dumps(make_event(waiting)))
        return False

    return work


def make_event(image_ids: list[str]) -> dict[str, Any]:
    """The event that SQS sends to Lambda for these images."""
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid4()),
                "receiptHandle": "local",
                "body": json.dumps({"image_id": image_id}),
                "attributes": {},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:analysis",
                "awsRegion": REGION,
            }
            for image_id in image_ids
        ]
    }


def find_waiting(connection: Any) -> list[str]:
    """Images whose analysis is due, oldest first."""
    cursor = connection.cursor()
    cursor.execute(WAITING_SQL, (BATCH,))
    return [image_id for (image_id,) in cursor.fetchall()]
