"""Call the internet: send deliveries of webhooks, and invalidate deleted and revoked images in CloudFront.

On AWS, each has a queue whose messages stay until they succeed. Locally, the runner passes the deliveries.
This function cannot reach the database.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.cdn.invalidate import FOLDERS, invalidate_images
from imageapi.config.settings import get_settings
from imageapi.events.messages import batch_failures, comes_from, parse_notifications, parse_receipts
from imageapi.events.run_event import run_event
from imageapi.webhook_sender.drain import drain_queue, postpone
from imageapi.webhook_sender.send import send_all


def send_given(event: dict[str, Any]) -> dict[str, Any]:
    """``{"settle": […]}``: the results of the event's deliveries."""
    return {"settle": list(send_all(event["deliveries"]))}


def send_due(event: dict[str, Any]) -> dict[str, Any]:
    """``{"sent": int, "failed": int, "next_in": int | None, "batchItemFailures": […]}``. All messages are
    equal, so one of them stays in the queue until the next delivery is due.
    """
    outcome = drain_queue()
    kept = parse_receipts(event)[:1] if outcome["next_in"] is not None else []
    for message in kept:
        postpone(message.receipt, outcome["next_in"])
    return {**outcome, **batch_failures(message.id for message in kept)}


def invalidate(event: dict[str, Any]) -> dict[str, Any]:
    """``{"images": [id], "paths": int, "batchItemFailures": […]}``. Messages that CloudFront does not accept
    stay in the queue.
    """
    messages, unreadable = parse_notifications(event)
    accepted = invalidate_images({message.image_id: message.id for message in messages})
    left = [message.id for message in messages if message.image_id not in accepted]
    paths = len(FOLDERS) * len(accepted)
    return {"images": sorted(accepted), "paths": paths, **batch_failures([*left, *unreadable])}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "deliveries" in event:
        return run_event("webhooks sent", send_given, event, context)
    if comes_from(event, get_settings().webhook_queue_url):
        return run_event("webhooks sent", send_due, event, context)
    return run_event("invalidate", invalidate, event, context, counted=True)
