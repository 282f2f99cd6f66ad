"""Stores variants and intermediates: insert the row, put the object, mark the row ready."""

import hashlib
from contextlib import suppress

from imageapi.catalog import originals, pending_removals, variants
from imageapi.delivery import removals
from imageapi.errors import AppError, VariantPendingError
from imageapi.model import variant_names
from imageapi.storage import s3
from imageapi.storage.clients import ATTEMPTS
from imageapi.storage.object_keys import variant_key
from imageapi.telemetry.logs import get_logger


def store(
    image_id: str, name: str, token: int, data: bytes, mime_type: str, attempts: int = ATTEMPTS
) -> bool:
    """Put a leased variant and mark it ready.

    Returns:
        False if the image was deleted, or moved to the trash; the object is then removed.

    Raises:
        VariantPendingError: the lease was lost to another request, which puts the same object.
        DatabaseUnavailableError, StorageUnavailableError: it may or may not be stored; see :func:`give_up`.
    """
    key, sha256 = variant_key(image_id, name), hashlib.sha256(data).digest()
    while True:
        s3.put_object(key, data, content_type=mime_type, sha256=sha256, attempts=attempts)
        if variants.mark_ready(image_id, name, token):
            return True
        status = variants.find_statuses([(image_id, name)]).get((image_id, name))
        if status:
            if status != "ready":
                raise VariantPendingError()
            return True
        lease = variants.acquire_lease(image_id, name)
        if not lease:
            return _settle_unleased(image_id, name)
        token = lease["lease_token"]  # the image came back from the trash, which has removed the object


def adopt(image_id: str, name: str) -> bool:
    """Settle a stored variant that has no row: its lease was lost, or its image went to the trash, and
    perhaps came back. That of an image gets a row, since its key determines its bytes; any other is removed.

    Returns:
        Whether it has a row.
    """
    lease = variants.acquire_lease(image_id, name)
    if not lease:
        return _settle_unleased(image_id, name)
    if s3.object_exists(variant_key(image_id, name)):
        return variants.mark_ready(image_id, name, lease["lease_token"])
    variants.remove(image_id, name, lease["lease_token"])
    return False


def _settle_unleased(image_id: str, name: str) -> bool:
    """Remove a stored variant, unless another request has given it a row. Returns whether it has one."""
    if variants.find_statuses([(image_id, name)]):
        return True
    removals.finish_removals(pending_removals.add_variant(image_id, name))
    if not originals.find_claims([image_id]):
        s3.delete_objects([variant_key(image_id, name)])
    return False


def give_up(image_id: str, name: str, token: int) -> None:
    """Let the next request retry at once. If none comes, the sweep removes what a failed put has stored."""
    with suppress(AppError):  # the lease then expires
        variants.release_lease(image_id, name, token)


def store_intermediate(image_id: str, data: bytes) -> None:
    """Store the intermediate of a new image. Never fails: without it, variants are made from the original."""
    try:
        lease = variants.acquire_lease(image_id, variant_names.INTERMEDIATE)
        if lease:
            store(image_id, variant_names.INTERMEDIATE, lease["lease_token"], data, "image/jpeg", attempts=1)
    except Exception as error:
        # The sweep cleans up once the lease expires.
        get_logger().warning("no intermediate was kept", extra={"image_id": image_id}, exc_info=error)
