"""The bucket's notifications, through a queue: have CloudFront forget images that were deleted or revoked."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.cdn.invalidate import FOLDERS, invalidate_images
from imageapi.events.messages import batch_failures, parse_notifications
from imageapi.events.run_event import run_event


def invalidate(event: dict[str, Any]) -> dict[str, Any]:
    """``{"images": [id], "paths": int, "batchItemFailures": […]}``. What CloudFront does not accept now stays
    in the queue.
    """
    messages, unreadable = parse_notifications(event)
    accepted = invalidate_images({message.image_id: message.id for message in messages})
    left = [message.id for message in messages if message.image_id not in accepted]
    paths = len(FOLDERS) * len(accepted)
    return {"images": sorted(accepted), "paths": paths, **batch_failures([*left, *unreadable])}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run_event("invalidate", invalidate, event, context, counted=True)
