"""Restore an image from the trash."""

from imageapi.catalog import trash
from imageapi.database import db
from imageapi.delivery.removals import resume_removals
from imageapi.errors import AppError, ConflictError, ImageNotFoundError
from imageapi.model.ids import parse_id


def restore_image(image_id: str) -> db.Row:
    """Move an image back from the trash, as it was.

    First finishes the removal of its variants: a variant must not be rendered again before.

    Raises:
        ImageNotFoundError: there is no such image in the trash.
        ConflictError: ``image_not_trashed``, ``image_trash_pending``.
        DatabaseUnavailableError, StorageUnavailableError: restored or not; send it again.
    """
    ids = [parse_id(image_id)]
    rows = trash.restore(ids)
    if not rows and resume_removals(ids):
        rows = trash.restore(ids)
    if not rows:
        raise explain_refusal(trash.find_places(ids).get(ids[0]))
    return rows[0]


def explain_refusal(place: trash.Place | None) -> AppError:
    """Why an image that is there, or nowhere, was not restored."""
    if place == "image":
        return ConflictError(
            "The image is not in the trash. Only images in the trash can be restored.",
            code="image_not_trashed",
        )
    if place is None:
        return ImageNotFoundError()
    message = "The image is still being moved to the trash. Try again."
    return ConflictError(message, code="image_trash_pending", retry_after=2)
