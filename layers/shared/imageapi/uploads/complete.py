"""The second half of a presigned upload: its file has arrived at ``incoming/<id>``.

The client, S3's event and the sweep may all call :func:`complete_upload`. The lease holder does the work:
download, check like a direct upload, record the final key, put, create the image, delete the incoming file.
The file is copied because the form stays usable until it expires and must not change a checked image.

Attempts are counted before the download, so a file that crashes the process or times out is refused after
MAX_ATTEMPTS.
"""

import hashlib
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NoReturn

from imageapi.catalog import images, originals, uploads
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.deadline import time_left, time_limit
from imageapi.delivery import variant_store
from imageapi.errors import (
    AppError,
    ConflictError,
    NotFoundError,
    ObjectMissingError,
    PayloadTooLargeError,
    TooComplexError,
    UnprocessableError,
    UnsupportedMediaTypeError,
    stored_error,
)
from imageapi.model.ids import is_id
from imageapi.pictures import inspect
from imageapi.storage import s3
from imageapi.storage.object_keys import incoming_key, original_key
from imageapi.uploads.create_image import (
    POLL_SECONDS,
    WAIT_SECONDS,
    Stored,
    UploadInProgressError,
    create_image,
    find_outcome,
    remove_objects,
)

LEASE_SECONDS = 60
"""Lease of a client's request: twice its function's Timeout."""
EVENT_LEASE_SECONDS = 240
"""Lease of an event, and of the sweep for one upload: twice IngestFunction's Timeout."""
SPARE_SECONDS = 5.0
"""The holder gives up and releases the lease this long before its lease or time runs out."""
MAX_ATTEMPTS = 3
EVENT_WAIT_SECONDS = 35.0
"""How long an event waits: longer than UploadFunction's Timeout. A holder that outlasts it has died; Lambda
then resends the event.
"""


def complete_upload(
    image_id: str,
    lease_seconds: int = LEASE_SECONDS,
    wait_seconds: float = WAIT_SECONDS,
    *,
    announcer: str | None = None,
) -> Stored:
    """Check the uploaded file and create the image. Idempotent; safe to call concurrently.

    Args:
        lease_seconds: lease of this call.
        wait_seconds: how long it waits for another lease holder.
        announcer: the id of the API key that must have announced the upload; None for any. It no longer
            matters once the upload is an image.

    Raises:
        NotFoundError: ``upload_not_found``.
        ConflictError: ``upload_not_arrived``: the file is not there yet; ``upload_in_progress``: another
            request holds the lease.
        UnprocessableError, UnsupportedMediaTypeError, PayloadTooLargeError: the file was refused (now or
            before) and removed.
        TooComplexError: the file was refused; unless that is final, it is kept and another call retries.
        DatabaseUnavailableError, StorageUnavailableError: not finished; call again.
    """
    if not is_id(image_id):
        raise _not_found()
    image_id = image_id.lower()
    upload = _find_pending(image_id, announcer)
    if isinstance(upload, Stored):
        return upload
    if not s3.object_exists(incoming_key(image_id)):
        # Another request may just have finished the upload and removed the file.
        upload = _find_pending(image_id)
        return upload if isinstance(upload, Stored) else _raise_not_arrived()
    taken = _acquire(image_id, lease_seconds, wait_seconds)
    if isinstance(taken, Stored):
        return taken
    return _complete(taken, min(lease_seconds, time_left()) - SPARE_SECONDS)


def complete_uploads(image_ids: Iterable[str]) -> dict[str, Any]:
    """Complete the uploads whose files have arrived. Ids come from object keys, so they may be invalid.

    Returns:
        ``{"completed": [id], "refused": {id: code}}``.

    Raises:
        DatabaseUnavailableError, StorageUnavailableError, UploadInProgressError: not all are finished; call
            again with all.
    """
    outcome: dict[str, Any] = {"completed": [], "refused": {}}
    for image_id in image_ids:
        try:
            stored = complete_upload(image_id, EVENT_LEASE_SECONDS, EVENT_WAIT_SECONDS)
            outcome["completed"].append(image_id)
            if stored.created:
                continue
        except AppError as error:
            if error.status >= 500 or isinstance(error, UploadInProgressError):
                raise
            outcome["refused"][image_id] = error.code
        _remove_reposted(image_id)
    return outcome


def _remove_reposted(image_id: str) -> None:
    """Remove a file that was posted when its upload had ended: the form can be used until it expires."""
    if is_id(image_id) and not originals.is_claimed(
        originals.find_claims([image_id]), image_id.lower(), incoming_key(image_id)
    ):
        s3.delete_objects([incoming_key(image_id)])


def _find_pending(image_id: str, announcer: str | None = None) -> db.Row | Stored:
    """The row of a pending upload, or the image that it has become. Raises the error of a failed one."""
    upload = uploads.find(image_id)
    if upload and announcer not in (None, upload["key_id"]):
        raise _not_found()
    if upload and upload["failure"]:
        raise stored_error(upload["failure"], "What was uploaded was refused.")
    if upload:
        return upload
    image = images.find(image_id)
    if not image:
        raise _not_found()
    return Stored(image, created=False)


def _acquire(image_id: str, lease_seconds: int, wait_seconds: float) -> db.Row | Stored:
    """Lease the upload, or return the image if another request has created it meanwhile.

    Raises:
        UploadInProgressError: another request still holds the lease.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        found = _find_pending(image_id)
        if isinstance(found, Stored):
            return found
        taken = uploads.acquire_lease(image_id, lease_seconds) if not found["is_leased"] else None
        if taken:
            return taken
        if time.monotonic() >= deadline:
            raise UploadInProgressError()
        time.sleep(POLL_SECONDS)


def _complete(upload: db.Row, seconds: float) -> Stored:
    """Work on a leased upload, for at most ``seconds``. An error refuses it for good or releases it."""
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
        # A store that does not answer costs no attempt. If the release fails too, the lease expires.
        with suppress(AppError):
            uploads.release_lease(upload, counted=not isinstance(error, AppError))
        raise


def _check_and_store(upload: db.Row) -> Stored:
    incoming = incoming_key(upload["id"])
    with s3.downloaded(incoming, max_bytes=upload["size_bytes"]) as file:
        size = file.tell()
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").digest()
        # Announced by the client, or recorded by an earlier attempt, which may have put those bytes.
        if upload["sha256"] not in (None, sha256.hex()):
            raise UnprocessableError("The file is not the one announced.", code="sha256_mismatch")
        picture = inspect.inspect(file, get_settings().max_pixels)
        kind = picture.kind
        key = original_key(upload["id"], kind.extension)
        if not uploads.record_object(upload, key, kind.mime_type, sha256):
            return find_outcome(upload)
        s3.put_object(key, file, content_type=kind.mime_type, sha256=sha256)
    changed = {"s3_key": key, "mime_type": kind.mime_type, "size_bytes": size}
    stored = create_image({**upload, **changed}, picture, sha256)
    with suppress(AppError):  # the image exists anyway; a sweep removes the file
        s3.delete_objects([incoming])
    if picture.intermediate and stored.created:
        variant_store.store_intermediate(upload["id"], picture.intermediate)
    return stored


def _not_found() -> NotFoundError:
    return NotFoundError("There is no such upload.", code="upload_not_found")


def _raise_not_arrived() -> NoReturn:
    raise ConflictError("The file has not arrived yet.", code="upload_not_arrived", retry_after=1)
