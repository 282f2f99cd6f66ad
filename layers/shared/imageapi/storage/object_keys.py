"""Object keys: derived from ids only, never from client input."""


def original_key(image_id: str, extension: str) -> str:
    return f"originals/{image_id}.{extension}"


def incoming_key(image_id: str) -> str:
    """The key of the file of a registered upload."""
    return f"incoming/{image_id}"


def variant_key(image_id: str, name: str) -> str:
    return f"variants/{image_id}/{name}"


def invalidation_key(image_id: str) -> str:
    """The key of an empty object whose notification starts an invalidation. It expires after a day."""
    return f"invalidations/{image_id}"


WAKE_KEY = "webhooks/wake"
"""The empty object whose notification starts the sending of webhooks. It expires after a day."""
