"""The bucket's notifications, through a queue: have CloudFront forget images that were deleted or revoked."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.edge.invalidate import invalidate_images
from imageapi.events.messages import batch_failures, parse_notifications
from imageapi.events.run_event import run_event


def invalidate(event: dict[str, Any]) -> dict[str, Any]:
    """``{"images": [id], "paths": int, "batchItemFailures": […]}``."""
    image_ids, unreadable = parse_notifications(event)
    return {"images": image_ids, "paths": invalidate_images(image_ids), **batch_failures(unreadable)}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run_event("invalidate", invalidate, event, context, counted=True)
