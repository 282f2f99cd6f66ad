"""The end of every upload: it becomes an image, or everything it stored is removed."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2.extras
from aws_lambda_powertools.metrics import MetricUnit

from imageapi.actor import acting_as
from imageapi.analysis import enqueue
from imageapi.catalog import images, originals, uploads
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import ConflictError, UploadInterruptedError
from imageapi.model.metadata import EMPTY
from imageapi.search.tokens import index_values
from imageapi.storage import s3
from imageapi.storage.object_keys import incoming_key
from imageapi.telemetry.metrics import add_metric

if TYPE_CHECKING:
    from imageapi.pictures.inspect import Picture


WAIT_SECONDS, POLL_SECONDS = 2.0, 0.1
"""How long a client's request waits for another that holds the lease of its upload."""


@dataclass(frozen=True)
class Stored:
    """Result of an upload: the image's row, and whether this request created it."""

    row: db.Row
    created: bool


class UploadInProgressError(ConflictError):
    """409: another request is working on the same upload, or on the same bytes."""

    code = "upload_in_progress"
    message = "Another request is at work on this upload. Try again."
    retry_after = 2


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
        enqueue.send_messages([image["id"]])
    return Stored(image, created=True)


def undo_upload(upload: db.Row) -> None:
    """Fail a leased upload and remove what it stored; nothing if the lease was lost.

    A crash after the first step leaves a failed upload, which the sweep cleans up.
    """
    if uploads.interrupt(upload):
        remove_failed(upload)


def undo_expired(upload: db.Row) -> bool:
    """As :func:`undo_upload`, for an upload that has expired. False if it is leased, not pending, or open."""
    expired = uploads.interrupt_expired(upload)
    if expired:
        remove_failed(upload)
    return expired


def remove_failed(upload: db.Row) -> None:
    """Remove the objects of a failed upload, then its row. A failed upload stays failed, so several processes
    may do this at once.
    """
    remove_objects(upload)
    uploads.remove(upload["id"])


def remove_objects(upload: db.Row) -> None:
    """Remove what a failed upload has stored."""
    keys = [incoming_key(upload["id"]), upload["s3_key"]]
    s3.delete_objects([key for key in keys if key])


def _make_image(upload: db.Row, picture: "Picture", sha256: bytes) -> dict[str, object]:
    """The columns of the image."""
    kept = ("id", "filename", "s3_key", "mime_type", "size_bytes", "created_at", "lease_token")
    columns = {
        **{name: upload[name] for name in kept},
        # An upload may be older than a field, or come from newer code: this image then lacks the field.
        **EMPTY,
        **upload["metadata"],
        "width": picture.width,
        "height": picture.height,
        "frames": picture.frames,
        "sha256": sha256,
        "placeholder": picture.placeholder,
        "exif": psycopg2.extras.Json(picture.exif),
    }
    return {**columns, **index_values(columns)}


def find_outcome(upload: db.Row) -> Stored:
    """The image that another request created from an upload whose lease was lost. Waits for that request.

    Raises:
        UploadInterruptedError, UploadInProgressError: as :func:`create_image`.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    # Uploads first, then images, as rows move: the reverse could miss one that moves in between.
    while (current := uploads.find(upload["id"])) and not current["failure"]:
        if time.monotonic() >= deadline:
            raise UploadInProgressError()
        time.sleep(POLL_SECONDS)
    image = images.find(upload["id"])
    if image:
        return Stored(image, created=False)
    key, claims = upload["s3_key"], originals.find_claims([upload["id"]])
    if key and not originals.is_claimed(claims, upload["id"], key):
        s3.delete_objects([key])
    raise UploadInterruptedError()
