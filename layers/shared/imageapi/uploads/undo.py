"""Undo uploads: fail the row, remove what was stored, then remove the row."""

from imageapi.catalog import originals, uploads
from imageapi.database import db
from imageapi.storage import s3
from imageapi.storage.object_keys import incoming_key


def undo_upload(upload: db.Row) -> None:
    """Fail a leased upload and remove its objects; nothing if the lease was lost.

    A crash after the first step leaves a failed upload, which the sweep cleans up.
    """
    if uploads.interrupt(upload):
        remove_failed(upload)


def undo_expired(upload: db.Row) -> bool:
    """Fail an upload that has expired and remove its objects; its row stays, so that the client learns of it.
    False if it is leased, not pending, or open.
    """
    expired = uploads.interrupt_expired(upload)
    if expired:
        remove_objects(upload)
    return expired


def remove_failed(upload: db.Row) -> None:
    """Remove the objects of a failed upload, then its row. A failed upload stays failed, so several processes
    can do this at the same time.
    """
    remove_objects(upload)
    uploads.remove(upload["id"])


def remove_objects(upload: db.Row) -> None:
    """Remove the objects of a failed upload."""
    keys = [incoming_key(upload["id"]), upload["s3_key"]]
    s3.delete_objects([key for key in keys if key])


def remove_unclaimed(upload_id: str, key: str) -> None:
    """Remove an object of an upload that has ended, unless its image or the pending upload names it."""
    if not originals.is_claimed(originals.find_claims([upload_id]), upload_id, key):
        s3.delete_objects([key])
