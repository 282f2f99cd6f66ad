"""Removals: delete the objects of deleted or trashed images, and remove them from CloudFront's cache."""

from collections.abc import Sequence
from contextlib import suppress

from imageapi.catalog import changes, pending_removals
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import AppError
from imageapi.storage import s3
from imageapi.storage.object_keys import incoming_key, invalidation_key, variant_key


def resume_removals(image_ids: Sequence[str]) -> bool:
    """Finish the removals of these images whose lease has expired. Returns False if there are none. Errors as
    for :func:`finish_removals`.
    """
    found = pending_removals.acquire_leases(image_ids)
    if found:
        finish_removals(found)
    return bool(found)


def finish_removals(found: Sequence[db.Row]) -> None:
    """Remove the objects of leased removals, then the removals.

    Raises:
        DatabaseUnavailableError, StorageUnavailableError: the next request or sweep finishes the rest.
    """
    try:
        while found:
            _remove_objects(found)
            found = pending_removals.finish(found)
    except AppError:
        with suppress(AppError):  # the leases then expire
            pending_removals.release_leases(found)
        raise


def _remove_objects(found: Sequence[db.Row]) -> None:
    final = [removal for removal in found if removal["s3_key"]]
    keys = [key for row in final for key in (row["s3_key"], incoming_key(row["image_id"]))]
    keys += [variant_key(removal["image_id"], name) for removal in found for name in removal["variants"]]
    s3.delete_objects(keys)
    for removal in found:
        if removal["variants"]:  # only now: before, CloudFront could cache them again
            put_marker(removal["image_id"])
    if final:
        changes.number_all()  # removes values of permanently deleted images from the feed


def put_marker(image_id: str) -> None:
    """Request invalidation of an image in CloudFront, if used: an object's notification starts the function.

    Raises:
        StorageUnavailableError: the image may or may not be invalidated.
    """
    if get_settings().uses_edge:
        s3.put_marker(invalidation_key(image_id))
