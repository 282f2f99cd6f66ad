"""Which images wait for their analysis: rows of the table ``image_analysis``, as a queue.

The row is the queue: an image with status ``queued`` is to be analysed as soon as ``due_at`` has passed.
On AWS an SQS message starts the function that does it; locally the runner looks for such rows. So it does
no harm when a message is lost, comes twice, or comes after the budget of the day is spent.

Light enough for every function: it imports neither Pillow nor google-genai.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from imageapi import db
from imageapi.config import get_settings
from imageapi.errors import AppError
from imageapi.logs import get_logger

OVERDUE = "10 minutes"
"""When a row has been due for so long, its SQS message is taken for lost and sent again."""
BATCH = 100


def enqueue(image_id: str) -> None:
    """Have a new image analysed, when ANALYZE_UPLOADS says so. Never fails: the upload is done."""
    if not get_settings().analyze_uploads:
        return
    try:
        db.query(
            "INSERT INTO image_analysis (image_id, status) VALUES (%s, 'queued') ON CONFLICT DO NOTHING",
            (image_id,),
        )
        send_messages([image_id])
    except AppError as error:
        get_logger().warning(
            "analysis not queued", extra={"image_id": image_id, "code": error.code}, exc_info=error
        )


def find_overdue() -> list[str]:
    """Ids of up to BATCH images whose analysis has been due for longer than OVERDUE, the oldest first."""
    found = db.query(
        """SELECT image_id FROM image_analysis
           WHERE status IN ('queued', 'running') AND due_at < now() - %s::interval
           ORDER BY due_at LIMIT %s""",
        (OVERDUE, BATCH),
    )
    return [row["image_id"] for row in found]


def resend_overdue() -> dict[str, Any]:
    """Send the messages of overdue rows again. Runs on a schedule.

    Returns:
        ``{"resent": [id]}``.
    """
    overdue = find_overdue()
    send_messages(overdue)
    return {"resent": overdue}


def send_messages(image_ids: Sequence[str]) -> None:
    """Start AnalyzeFunction through SQS; does nothing without ANALYSIS_QUEUE_URL.

    A failure is only logged: the row stays queued, and the schedule sends its message again.
    """
    url = get_settings().analysis_queue_url
    if not url or not image_ids:
        return
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        for start in range(0, len(image_ids), 10):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps({"image_id": image_id})}
                for number, image_id in enumerate(image_ids[start : start + 10])
            ]
            _client().send_message_batch(QueueUrl=url, Entries=entries)
    except (BotoCoreError, ClientError):
        get_logger().warning("analysis not announced", exc_info=True)


@lru_cache(maxsize=1)
def _client() -> Any:
    import botocore.session
    from botocore.config import Config

    settings = get_settings()
    return botocore.session.get_session().create_client(
        "sqs",
        region_name=settings.region,
        config=Config(
            connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2}
        ),
    )
