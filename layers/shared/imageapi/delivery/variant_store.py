"""Store variants and intermediates: insert the row, put the object, mark the row as ready."""

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
    """Put a leased variant and mark it as ready.

    Returns:
        False if the image was deleted or moved to the trash; the object is then removed.

    Raises:
        VariantPendingError: another request has the lease and puts the same object.
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
        token = lease["lease_token"]  # the image was restored, after its removal deleted the object


def adopt(image_id: str, name: str) -> bool:
    """Settle a stored variant without a row: its lease was lost, or its image was moved to the trash, and
    maybe restored. If there is an image, insert a row: the key determines the bytes. Otherwise remove it.

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
    """Remove a stored variant, unless another request has inserted a row. Returns whether it has one."""
    if variants.find_statuses([(image_id, name)]):
        return True
    removals.finish_removals(pending_removals.add_variant(image_id, name))
    if not originals.find_claims([image_id]):
        s3.delete_objects([variant_key(image_id, name)])
    return False


def give_up(image_id: str, name: str, token: int) -> None:
    """Let the next request retry immediately. Without one, the sweep removes the object of a failed put."""
    with suppress(AppError):  # the lease then expires
        variants.release_lease(image_id, name, token)


def store_intermediate(image_id: str, data: bytes) -> None:
    """Store the intermediate of a new image. Never raises: without it, variants use the original."""
    try:
        lease = variants.acquire_lease(image_id, variant_names.INTERMEDIATE)
        if lease:
            store(image_id, variant_names.INTERMEDIATE, lease["lease_token"], data, "image/jpeg", attempts=1)
    except Exception as error:
        # The sweep removes the rest after the lease expires.
        get_logger().warning("no intermediate was kept", extra={"image_id": image_id}, exc_info=error)
