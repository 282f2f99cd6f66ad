"""Undo uploads: fail the row, remove the objects, then remove the row."""

from imageapi.catalog import originals, uploads
from imageapi.database import db
from imageapi.storage import s3
from imageapi.storage.object_keys import incoming_key


def undo_upload(upload: db.Row) -> None:
    """Fail a leased upload, remove its objects and its row. Does nothing if the lease was lost.

    A crash after the first step leaves a failed upload, which the sweep removes.
    """
    if uploads.interrupt(upload):
        remove_failed(upload)


def undo_expired(upload: db.Row) -> bool:
    """Fail an expired upload and remove its objects. Its row stays, so that the client can read the reason.
    Returns False if it is leased, not pending, or still open.
    """
    expired = uploads.interrupt_expired(upload)
    if expired:
        remove_objects(upload)
    return expired


def remove_failed(upload: db.Row) -> None:
    """Remove the objects of a failed upload, then its row. Safe to call concurrently: it stays failed."""
    remove_objects(upload)
    uploads.remove(upload["id"])


def remove_objects(upload: db.Row) -> None:
    """Remove the objects of a failed upload."""
    keys = [incoming_key(upload["id"]), upload["s3_key"]]
    s3.delete_objects([key for key in keys if key])


def remove_unclaimed(upload_id: str, key: str) -> None:
    """Remove an object of an ended upload, unless its image or a pending upload claims it."""
    if not originals.is_claimed(originals.find_claims([upload_id]), upload_id, key):
        s3.delete_objects([key])
