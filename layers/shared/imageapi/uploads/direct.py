"""Direct uploads: one request carries picture and metadata, and is answered when both are stored."""

import hashlib
import io
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from threading import Event
from typing import Any

from imageapi.catalog import images, uploads
from imageapi.config.settings import get_settings
from imageapi.database import db, locks
from imageapi.delivery import variant_store
from imageapi.errors import AppError, ConflictError, InvalidRequestError
from imageapi.model.ids import new_id
from imageapi.model.metadata import validate_metadata
from imageapi.pictures import identify, inspect
from imageapi.storage import s3
from imageapi.storage.object_keys import original_key
from imageapi.uploads.create_image import Stored, UploadInProgressError, create_image, undo_upload
from imageapi.uploads.idempotency import find_earlier_upload, parse_idempotency_key, request_hash, sent_fields

ON_DUPLICATE = ("allow", "return", "reject")
LEASE_SECONDS = 60
"""Lease of one request: twice the function's Timeout."""

MAX_SECONDS_BEFORE_INTERMEDIATE = 8
"""If checking and storing the original took longer, the client is not kept waiting for an intermediate."""


@dataclass(frozen=True)
class Upload:
    """One checked request, before anything is stored."""

    data: bytes
    filename: str
    metadata: dict[str, Any]
    kind: identify.Kind
    sha256: bytes
    idempotency_key: str | None
    on_duplicate: str

    @property
    def request_hash(self) -> bytes:
        """Equal for requests with the same bytes, name, metadata and ``on_duplicate``."""
        parts = {
            "sha256": self.sha256,
            "filename": self.filename,
            "metadata": sent_fields(self.metadata),
            "on_duplicate": self.on_duplicate,
        }
        return request_hash(parts)


def upload_image(
    data: bytes,
    filename: str,
    metadata: Mapping[str, Any],
    *,
    idempotency_key: str | None = None,
    on_duplicate: str | None = None,
) -> Stored:
    """Store one image with its metadata.

    Args:
        data: the file, at least one byte.
        filename: for display and downloads; empty when the client sent none.
        metadata: the fields of ``model.metadata``, not yet checked.
        idempotency_key: the Idempotency-Key header: same key and same request, same upload.
        on_duplicate: what to do when an image with the same bytes exists: ``allow`` (the default) makes
            another, ``return`` returns the existing one, ``reject`` refuses.

    Raises:
        InvalidRequestError, UnsupportedMediaTypeError, UnprocessableError: the request or the picture is
            refused; nothing is stored.
        ConflictError: ``duplicate_image``, ``upload_in_progress`` or ``upload_interrupted``.
        DatabaseUnavailableError, StorageUnavailableError: not stored; send the same request again.
    """
    _check_on_duplicate(on_duplicate)
    stored_key = parse_idempotency_key(idempotency_key)
    upload = Upload(
        data,
        filename,
        validate_metadata(metadata),
        identify.identify(io.BytesIO(data), get_settings().max_pixels),
        hashlib.sha256(data).digest(),
        stored_key,
        on_duplicate or ON_DUPLICATE[0],
    )
    row = _reserve(upload)
    if isinstance(row, Stored):
        return row
    start = time.monotonic()
    picture = _store_object(upload, row)
    stored = create_image(row, picture, upload.sha256)
    if stored.created and picture.intermediate and time.monotonic() - start < MAX_SECONDS_BEFORE_INTERMEDIATE:
        variant_store.store_intermediate(row["id"], picture.intermediate)
    return stored


def _check_on_duplicate(on_duplicate: str | None) -> None:
    if on_duplicate is not None and on_duplicate not in ON_DUPLICATE:
        raise InvalidRequestError(
            f"on_duplicate must be one of {', '.join(ON_DUPLICATE)}.", code="on_duplicate_invalid"
        )


def _reserve(upload: Upload) -> db.Row | Stored:
    """Insert the upload, or find the existing upload or image."""
    if upload.on_duplicate == "allow":
        row: db.Row | Stored | None = uploads.insert(_new_upload(upload))
    else:
        row = db.transaction(lambda cursor: _insert_unless_duplicate(cursor, upload))
    return row or find_earlier_upload(
        str(upload.idempotency_key),
        upload.request_hash,
        lambda upload_id: uploads.take_over(upload_id, LEASE_SECONDS),
    )


def _new_upload(upload: Upload) -> dict[str, Any]:
    upload_id, created_at = new_id()
    return {
        "id": upload_id,
        "created_at": created_at,
        "metadata": upload.metadata,
        "filename": upload.filename or f"{upload_id}.{upload.kind.extension}",
        "mime_type": upload.kind.mime_type,
        "size_bytes": len(upload.data),
        "sha256": upload.sha256,
        "s3_key": original_key(upload_id, upload.kind.extension),
        "idempotency_key": upload.idempotency_key,
        "request_hash": upload.request_hash if upload.idempotency_key else None,
        "open_seconds": 0,
        "lease_seconds": LEASE_SECONDS,
    }


def _insert_unless_duplicate(cursor: db.Cursor, upload: Upload) -> db.Row | Stored | None:
    """Insert unless there is an image with these bytes, or the Idempotency-Key is taken (then None). The lock
    admits one such upload at a time.
    """
    key = int.from_bytes(upload.sha256[:4], "big", signed=True)
    db.query("SELECT pg_advisory_xact_lock(%s, %s)", (locks.SAME_BYTES, key), cursor)
    if upload.idempotency_key and uploads.find_idempotency_key(upload.idempotency_key, cursor):
        return None
    duplicate_id, is_under_way = uploads.find_same_bytes(cursor, upload.sha256)
    duplicate = images.find(duplicate_id, cursor) if duplicate_id else None
    if duplicate and upload.on_duplicate == "reject":
        raise ConflictError(
            "An image with the same bytes is there already.",
            code="duplicate_image",
            details={"duplicate_of": duplicate_id},
        )
    if duplicate:
        return Stored(duplicate, created=False)
    if is_under_way:
        raise UploadInProgressError("An upload of the same bytes is under way. Try again.")
    return uploads.insert(_new_upload(upload), cursor)


def _store_object(upload: Upload, row: db.Row) -> inspect.Picture:
    """Put the object and decode the picture. When either fails, the upload is undone."""
    try:
        # Decoding and sending overlap: both release the GIL.
        with _decoding(upload.data) as picture:
            s3.put_object(
                row["s3_key"], upload.data, content_type=upload.kind.mime_type, sha256=upload.sha256
            )
            return picture.result()
    except Exception:
        # Report the first error. A sweep removes what cannot be removed now.
        with suppress(AppError):
            undo_upload(row)
        raise


@contextmanager
def _decoding(data: bytes) -> Iterator["Future[inspect.Picture]"]:
    """Decode in another thread. Decoding ends with this context: otherwise it would use the next request's
    time and memory.
    """
    cancelled = Event()
    picture = _decoder().submit(inspect.inspect, io.BytesIO(data), get_settings().max_pixels, cancelled)
    try:
        yield picture
    finally:
        cancelled.set()
        wait([picture])


@lru_cache(maxsize=1)
def _decoder() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode")
