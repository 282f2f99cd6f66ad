"""Create the image of an upload. ``undo`` ends the uploads that fail."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2.extras
from aws_lambda_powertools.metrics import MetricUnit

from imageapi.actor import acting_as
from imageapi.analysis import enqueue
from imageapi.catalog import images, uploads
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import ConflictError, UploadInterruptedError
from imageapi.model.metadata import EMPTY
from imageapi.search.tokens import index_values
from imageapi.telemetry.metrics import add_metric
from imageapi.uploads.undo import remove_unclaimed

if TYPE_CHECKING:
    from imageapi.model.picture import Picture


WAIT_SECONDS, POLL_SECONDS = 2.0, 0.1
"""How long a request waits for another request that holds the lease of its upload."""


@dataclass(frozen=True)
class Stored:
    """The result of an upload: the image's row, and whether this request created it."""

    row: db.Row
    created: bool


class UploadInProgressError(ConflictError):
    """409: another request works on the same upload or the same bytes."""

    code = "upload_in_progress"
    message = "Another request is processing this upload. Try again."
    retry_after = 2


def create_image(upload: db.Row, picture: "Picture") -> Stored:
    """Create the image of an upload whose object is stored.

    A crash before the INSERT leaves a pending upload with its object. A crash after it leaves an image whose
    queued analysis begins when the hourly schedule runs.

    Raises:
        UploadInterruptedError: the upload was undone or refused. Its object is removed.
        UploadInProgressError: another request has taken it over and puts the same bytes under the same key.
    """
    analyze = get_settings().analyze_uploads
    with acting_as(upload["key_id"]):  # an event or the sweep may finish a client's upload
        image = images.insert(_make_image(upload, picture) | {"analyze": analyze})
    if not image:
        return find_outcome(upload)
    add_metric("Uploads")
    add_metric("UploadedBytes", image["size_bytes"], MetricUnit.Bytes)
    if analyze:
        enqueue.send_messages([image["id"]])
    return Stored(image, created=True)


def find_outcome(upload: db.Row) -> Stored:
    """Wait for the request that has taken the lease of an upload. Returns the image that it creates.

    Raises:
        UploadInterruptedError, UploadInProgressError: as :func:`create_image`.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    # Uploads first, then images, as rows move: the reverse order could miss a row that moves in between.
    while (current := uploads.find(upload["id"])) and not current["failure"]:
        if time.monotonic() >= deadline:
            raise UploadInProgressError()
        time.sleep(POLL_SECONDS)
    image = images.find(upload["id"])
    if image:
        return Stored(image, created=False)
    if upload["s3_key"]:
        remove_unclaimed(upload["id"], upload["s3_key"])
    raise UploadInterruptedError()


def _make_image(upload: db.Row, picture: "Picture") -> dict[str, object]:
    """The columns of the image."""
    kept = ("id", "filename", "s3_key", "mime_type", "size_bytes", "created_at", "lease_token")
    columns = {
        **{name: upload[name] for name in kept},
        # A field that is newer than the upload is empty. One that is newer than this code is ignored.
        **EMPTY,
        **upload["metadata"],
        "width": picture.width,
        "height": picture.height,
        "frames": picture.frames,
        "sha256": bytes.fromhex(upload["sha256"]),
        "placeholder": picture.placeholder,
        "exif": psycopg2.extras.Json(picture.exif),
    }
    return {**columns, **index_values(columns)}
