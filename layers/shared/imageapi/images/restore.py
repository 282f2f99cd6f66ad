"""Restore an image from the trash."""

from imageapi.catalog import trash
from imageapi.database import db
from imageapi.delivery.removals import resume_removals
from imageapi.errors import AppError, ConflictError, ImageNotFoundError
from imageapi.model.ids import parse_id


def restore_image(image_id: str) -> db.Row:
    """Move an image back from the trash, unchanged.

    The removal of its variants is finished first: until then, no variant may be rendered again.

    Raises:
        ImageNotFoundError: the image does not exist.
        ConflictError: ``image_not_trashed``, ``image_trash_pending``.
        DatabaseUnavailableError, StorageUnavailableError: it may or may not be restored; send it again.
    """
    ids = [parse_id(image_id)]
    rows = trash.restore(ids)
    if not rows and resume_removals(ids):
        rows = trash.restore(ids)
    if not rows:
        raise explain_refusal(trash.find_places(ids).get(ids[0]))
    return rows[0]


def explain_refusal(place: trash.Place | None) -> AppError:
    """The error for an image that could not be restored from this place."""
    if place == "image":
        return ConflictError(
            "The image is not in the trash. Only images in the trash can be restored.",
            code="image_not_trashed",
        )
    if place is None:
        return ImageNotFoundError()
    message = "The image is still being moved to the trash. Try again."
    return ConflictError(message, code="image_trash_pending", retry_after=2)
