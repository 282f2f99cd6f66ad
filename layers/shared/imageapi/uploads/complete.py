"""Complete a registered upload, whose file has arrived at ``incoming/<id>``.

The client, S3's event and the sweep may all call :func:`complete_upload`. The lease holder downloads the
file, checks it like a direct upload, records the final key, puts the object, creates the image, and deletes
the incoming file. The file is copied because the form stays valid and must not change a checked image.

Attempts count before the download, so MAX_ATTEMPTS also stops a file that crashes the process or times out.
"""

import hashlib
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NoReturn

from imageapi.catalog import uploads
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.deadline import time_left, time_limit
from imageapi.decoder import client as decoder
from imageapi.delivery import variant_store
from imageapi.errors import (
    AppError,
    ConflictError,
    ObjectMissingError,
    PayloadTooLargeError,
    TooComplexError,
    UnprocessableError,
    UnsupportedMediaTypeError,
    stored_error,
)
from imageapi.storage import s3
from imageapi.storage.object_keys import incoming_key, original_key
from imageapi.telemetry.logs import get_logger
from imageapi.uploads.create_image import (
    POLL_SECONDS,
    WAIT_SECONDS,
    Stored,
    UploadInProgressError,
    create_image,
    find_outcome,
)
from imageapi.uploads.get import find_upload
from imageapi.uploads.undo import remove_objects, remove_unclaimed

LEASE_SECONDS = 60
"""Twice UploadFunction's Timeout. The sweep spends at most this on one upload."""
SPARE_SECONDS = 5.0
"""The holder releases the lease this long before its lease or time runs out."""
MAX_ATTEMPTS = 3


def complete_upload(
    image_id: str, *, wait_seconds: float = WAIT_SECONDS, announcer: str | None = None
) -> Stored:
    """Check the uploaded file and create the image. Idempotent; safe to call concurrently.

    Args:
        wait_seconds: how long to wait for another lease holder.
        announcer: as for :func:`find_upload`.

    Raises:
        NotFoundError: ``upload_not_found``.
        ConflictError: ``upload_not_arrived``: the file has not arrived; ``upload_in_progress``: another
            request holds the lease; ``upload_interrupted``: the file did not arrive in time.
        UnprocessableError, UnsupportedMediaTypeError, PayloadTooLargeError: the file was refused (now or
            earlier) and removed.
        TooComplexError: the file was refused. Unless that is final, it stays, and another call retries.
        DatabaseUnavailableError, StorageUnavailableError: not finished; call again.
    """
    upload = _find_pending(image_id, announcer)
    if isinstance(upload, Stored):
        return upload
    image_id = upload["id"]
    if not s3.object_exists(incoming_key(image_id)):
        # Another request may have just finished the upload and removed the file.
        upload = _find_pending(image_id)
        return upload if isinstance(upload, Stored) else _raise_not_arrived()
    taken = _acquire(image_id, wait_seconds)
    if isinstance(taken, Stored):
        return taken
    return _complete(taken, min(LEASE_SECONDS, time_left()) - SPARE_SECONDS)


def complete_uploads(image_ids: Iterable[str]) -> dict[str, Any]:
    """Complete the uploads whose files have arrived.

    Returns:
        ``{"completed": [id], "refused": {id: code}, "unfinished": {id: code}}``. Call again with the
        unfinished: another request is completing the upload, or a store is unavailable.
    """
    outcome: dict[str, Any] = {"completed": [], "refused": {}, "unfinished": {}}
    for image_id in image_ids:
        try:
            refusal = _complete_arrived(image_id)
        except AppError as error:
            get_logger().warning("upload not completed", extra={"image_id": image_id}, exc_info=error)
            outcome["unfinished"][image_id] = error.code
        else:
            if refusal:
                outcome["refused"][image_id] = refusal
            else:
                outcome["completed"].append(image_id)
    return outcome


def _complete_arrived(image_id: str) -> str | None:
    """Complete an upload. Returns the error code of a refusal; None if it is an image. If it had ended
    before, its file was posted again while the form was valid: then the file is removed.
    """
    refusal = None
    try:
        if complete_upload(image_id).created:
            return None
    except AppError as error:
        if error.status >= 500 or isinstance(error, UploadInProgressError):
            raise
        refusal = error.code
    remove_unclaimed(image_id.lower(), incoming_key(image_id))
    return refusal


def _find_pending(image_id: str, announcer: str | None = None) -> db.Row | Stored:
    """The row of a pending upload, or its image. Raises the error of a failed upload."""
    found = find_upload(image_id, announcer)
    if not isinstance(found, Stored) and found["failure"]:
        raise stored_error(found["failure"], "The upload failed. Send the file again as a new upload.")
    return found


def _acquire(image_id: str, wait_seconds: float) -> db.Row | Stored:
    """Lease the upload. Returns its row, or the image if another request has created it.

    Raises:
        UploadInProgressError: another request still holds the lease.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        found = _find_pending(image_id)
        if isinstance(found, Stored):
            return found
        taken = uploads.acquire_lease(image_id, LEASE_SECONDS) if not found["is_leased"] else None
        if taken:
            return taken
        if time.monotonic() >= deadline:
            raise UploadInProgressError()
        time.sleep(POLL_SECONDS)


def _complete(upload: db.Row, seconds: float) -> Stored:
    """Complete a leased upload in at most ``seconds``. An error refuses it permanently or releases it."""
    try:
        if upload["attempts"] > MAX_ATTEMPTS:
            raise TooComplexError(is_final=True)
        with time_limit(seconds):
            return _check_and_store(upload)
    except ObjectMissingError:
        uploads.release_lease(upload, counted=False)
        _raise_not_arrived()
    except (UnprocessableError, UnsupportedMediaTypeError, PayloadTooLargeError) as error:
        if isinstance(error, TooComplexError) and not error.is_final:
            uploads.release_lease(upload, counted=True)
        elif uploads.refuse(upload, error.code):
            remove_objects(upload)
        raise
    except Exception as error:
        # An unavailable store costs no attempt. If the release fails, the lease expires.
        with suppress(AppError):
            uploads.release_lease(upload, counted=not isinstance(error, AppError))
        raise


def _check_and_store(upload: db.Row) -> Stored:
    incoming = incoming_key(upload["id"])
    with s3.downloaded(incoming, max_bytes=upload["size_bytes"]) as file:
        size = file.tell()
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").digest()
        # The client registered it, or an earlier attempt recorded it and may have put those bytes.
        if upload["sha256"] not in (None, sha256.hex()):
            raise UnprocessableError(
                "The file does not match the registered sha256. Register the upload again.",
                code="sha256_mismatch",
            )
        with decoder.inspecting(file, get_settings().max_pixels) as inspection:
            kind, picture = inspection.kind, inspection.wait()
        key = original_key(upload["id"], kind.extension)
        if not uploads.record_object(upload, key, kind.mime_type, sha256):
            return find_outcome(upload)
        s3.put_object(key, file, content_type=kind.mime_type, sha256=sha256)
    found = {"s3_key": key, "mime_type": kind.mime_type, "size_bytes": size, "sha256": sha256.hex()}
    stored = create_image(upload | found, picture)
    with suppress(AppError):  # the image exists; a sweep removes the file
        s3.delete_objects([incoming])
    if picture.intermediate and stored.created:
        variant_store.store_intermediate(upload["id"], picture.intermediate)
    return stored


def _raise_not_arrived() -> NoReturn:
    raise ConflictError(
        "The file has not arrived yet. Send it, then try again.", code="upload_not_arrived", retry_after=1
    )
