"""On AWS: take, send and settle until nothing is due. Runs outside the network; WebhooksFunction has the
database.
"""

import json
from functools import lru_cache
from typing import Any

from imageapi.config.settings import get_settings
from imageapi.deadline import time_left
from imageapi.errors import ConfigurationError
from imageapi.telemetry.logs import get_logger
from imageapi.webhooks.send import TAKE_SECONDS, send_all

TAKE = 20
ROUND_SECONDS = TAKE_SECONDS + 10
"""What a round needs at most, with both invocations. No round begins with less left."""
RETRY_SECONDS = 30
"""The pause when WebhooksFunction fails: the database may be waking up."""
MAX_VISIBILITY = 43_200
"""SQS's limit for a message's visibility timeout, in seconds."""


class _FunctionFailedError(Exception):
    """WebhooksFunction raised, or ran out of time; it has logged why."""


def work_off() -> dict[str, Any]:
    """Send everything that is due, as far as there is time.

    Returns:
        ``{"sent": int, "failed": int, "next_in": int or None}``: the seconds after which to look again, for
        what failed here, or what there was no time for.
    """
    sent = failed = 0
    waits: list[float] = []
    try:
        while time_left() > ROUND_SECONDS:
            deliveries = _invoke({"take": TAKE})["deliveries"]
            if not deliveries:
                break
            outcomes = send_all(deliveries)
            errors = [result["error"] for outcome in outcomes for result in outcome["results"]]
            sent, failed = sent + errors.count(None), failed + len(errors) - errors.count(None)
            next_in = _invoke({"settle": outcomes})["next_in"]
            waits += [] if next_in is None else [next_in]
        else:
            waits.append(0)
    except _FunctionFailedError:
        get_logger().warning("webhooks not read")
        waits.append(RETRY_SECONDS)
    return {"sent": sent, "failed": failed, "next_in": round(min(waits)) if waits else None}


def postpone(receipt: str, seconds: int) -> None:
    """Have SQS deliver a message again after ``seconds``; its function must report it as failed."""
    _client("sqs").change_message_visibility(
        QueueUrl=get_settings().webhook_queue_url,
        ReceiptHandle=receipt,
        VisibilityTimeout=min(seconds, MAX_VISIBILITY),
    )


def _invoke(event: dict[str, Any]) -> Any:
    """What WebhooksFunction answers to an event."""
    name = get_settings().webhooks_function
    if not name:
        raise ConfigurationError("WEBHOOKS_FUNCTION is not set.")
    answer = _client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise _FunctionFailedError
    return payload


@lru_cache(maxsize=2)
def _client(service: str) -> Any:
    import botocore.session
    from botocore.config import Config

    # Once: what a lost answer leased stays leased, and is sent when the lease has expired.
    return botocore.session.get_session().create_client(
        service,
        region_name=get_settings().region,
        config=Config(connect_timeout=2, read_timeout=30, retries={"total_max_attempts": 1}),
    )
