"""Send SQS messages for queued rows of ``image_analysis``. They start AnalyzeFunction.

Locally, the runner polls the table instead. The rows are the queue, so a message may be lost, duplicated, or
delivered after the day's budget is spent.
"""

import json
from collections.abc import Sequence
from typing import Any

from imageapi.catalog import analyses, budgets
from imageapi.config.aws_clients import get_aws_client
from imageapi.config.settings import get_settings
from imageapi.telemetry.logs import get_logger


def resend_overdue() -> dict[str, Any]:
    """Resend the messages of overdue rows, limited to the rest of today's budget. A schedule calls this.

    Returns:
        ``{"resent": [id]}``.
    """
    left = get_settings().analysis_daily_budget - budgets.count_used(analyses.BUDGET)
    overdue = analyses.find_overdue(max(0, left))
    send_messages(overdue)
    return {"resent": overdue}


def send_messages(image_ids: Sequence[str]) -> None:
    """Start AnalyzeFunction through SQS, if ANALYSIS_QUEUE_URL is set.

    A failure is only logged: the row stays queued, and the schedule resends its message.
    """
    url = get_settings().analysis_queue_url
    if not url or not image_ids:
        return
    from botocore.exceptions import BotoCoreError, ClientError

    client = get_aws_client("sqs", attempts=2)
    try:
        for start in range(0, len(image_ids), 10):
            entries = [
                {"Id": str(number), "MessageBody": json.dumps({"image_id": image_id})}
                for number, image_id in enumerate(image_ids[start : start + 10])
            ]
            answer = client.send_message_batch(QueueUrl=url, Entries=entries)
            for failed in answer.get("Failed", []):
                get_logger().warning("analysis not announced", extra={"code": failed["Code"]})
    except (BotoCoreError, ClientError):
        get_logger().warning("analysis not announced", exc_info=True)
