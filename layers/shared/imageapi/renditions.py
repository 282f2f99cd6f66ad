"""Storing renditions and reduced copies: the row first, then the object, then the row is ready."""

import hashlib
from contextlib import suppress

from imageapi import storage, variant_rows, variants
from imageapi.errors import AppError
from imageapi.logs import get_logger

CLAIM_SECONDS = 30
"""For so long one request may make and store a rendition, or store a copy; then another may try."""


def store(image_id: str, name: str, data: bytes, mime_type: str, attempts: int = storage.ATTEMPTS) -> bool:
    """Put a rendition whose row this request has claimed, and let it be used.

    Returns:
        False when the image has been deleted meanwhile; the object is removed again.

    Raises:
        DatabaseUnavailableError, StorageUnavailableError: it may be there or not; see :func:`give_up`.
    """
    key = storage.variant_key(image_id, name)
    sha256 = hashlib.sha256(data).digest()
    storage.put_object(key, data, content_type=mime_type, sha256=sha256, attempts=attempts)
    if variant_rows.mark_ready(image_id, name):
        return True
    # Perhaps after its renditions were looked for.
    storage.delete_objects([key])
    return False


def give_up(image_id: str, name: str) -> None:
    """Let the next request try. A put that failed may have been stored all the same, so the object goes
    first.
    """
    with suppress(AppError):  # then the claim runs out, and a sweep removes both
        storage.delete_objects([storage.variant_key(image_id, name)])
        variant_rows.abandon(image_id, name)


def keep_copy(image_id: str, data: bytes) -> None:
    """Store the reduced copy of an image that has just turned ready. Never fails: without it, renditions are
    made from the original.
    """
    try:
        if variant_rows.claim(image_id, variants.REDUCED, CLAIM_SECONDS):
            store(image_id, variants.REDUCED, data, "image/jpeg", attempts=1)
    except AppError as error:
        # Whatever is half done is removed by a sweep, when the claim has run out.
        get_logger().warning("no reduced copy was kept", extra={"image_id": image_id}, exc_info=error)
