"""The end of every upload: it becomes an image, or everything it stored is removed."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2.extras
from aws_lambda_powertools.metrics import MetricUnit

from imageapi.actor import acting_as
from imageapi.analysis import queue
from imageapi.catalog import images, uploads
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import ConflictError, UploadInterruptedError
from imageapi.search.tokens import index_values
from imageapi.storage import s3
from imageapi.storage.keys import incoming_key
from imageapi.telemetry.metrics import add_metric

if TYPE_CHECKING:
    from imageapi.pictures.inspect import Picture


@dataclass(frozen=True)
class Stored:
    """Result of an upload: the image's row, and whether this request created it."""

    row: db.Row
    created: bool


class UploadInProgressError(ConflictError):
    """409: another request is working on the same upload, or on the same bytes."""

    code = "upload_in_progress"

    def __init__(self, message: str = "Another request is at work on this upload. Try again.") -> None:
        super().__init__(message, retry_after=2)


def create_image(upload: db.Row, picture: "Picture", sha256: bytes) -> Stored:
    """Create the image of an upload whose object is stored.

    A crash before the INSERT leaves a pending upload with its object; after it, an image whose analysis is
    queued but not announced until the hourly schedule runs.

    Raises:
        UploadInterruptedError: the upload was undone or refused meanwhile; the object is removed.
        UploadInProgressError: another request has taken it over, and puts the same bytes under the same key.
    """
    analyze = get_settings().analyze_uploads
    with acting_as(upload["key_id"]):  # an event or the sweep may finish what a client began
        image = images.insert(_make_image(upload, picture, sha256) | {"analyze": analyze})
    if not image:
        return find_outcome(upload)
    add_metric("Uploads")
    add_metric("UploadedBytes", image["size_bytes"], MetricUnit.Bytes)
    if analyze:
        queue.send_messages([image["id"]])
    return Stored(image, created=True)


def undo_upload(upload: db.Row, *, only_free: bool = False) -> bool:
    """Fail an upload and remove what it stored.

    A crash after the first step leaves a failed upload, which the sweep cleans up.

    Args:
        only_free: only if it has expired and is not leased.

    Returns:
        False if it is no longer pending, or not free.
    """
    if not uploads.interrupt(upload, only_free=only_free):
        return False
    remove_failed(upload)
    return True


def remove_failed(upload: db.Row) -> None:
    """Remove the objects of a failed upload, then its row."""
    remove_objects(upload)
    uploads.remove(upload["id"])


def remove_objects(upload: db.Row) -> None:
    """Remove what a failed upload has stored."""
    keys = [incoming_key(upload["id"]), upload["s3_key"]]
    s3.delete_objects([key for key in keys if key])


def _make_image(upload: db.Row, picture: "Picture", sha256: bytes) -> dict[str, object]:
    """The columns of the image."""
    facts = {name: upload[name] for name in ("id", "filename", "s3_key", "mime_type", "size_bytes")}
    columns = {
        **facts,
        **upload["metadata"],
        "width": picture.width,
        "height": picture.height,
        "frames": picture.frames,
        "sha256": sha256,
        "placeholder": picture.placeholder,
        "exif": psycopg2.extras.Json(picture.exif),
        "created_at": upload["created_at"],
        "lease_token": upload["lease_token"],
    }
    return {**columns, **index_values(columns)}


def find_outcome(upload: db.Row) -> Stored:
    """The image that another request created from an upload whose lease was lost.

    Raises:
        UploadInterruptedError, UploadInProgressError: as :func:`create_image`.
    """
    # In the order in which rows move: the reverse could miss one that moves meanwhile.
    current = uploads.find(upload["id"])
    if current and not current["failure"]:
        raise UploadInProgressError()
    image = images.find(upload["id"])
    if image:
        return Stored(image, created=False)
    if upload["s3_key"]:
        s3.delete_objects([upload["s3_key"]])
    raise UploadInterruptedError()
