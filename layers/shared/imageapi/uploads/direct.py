"""Direct uploads: one request contains image and metadata. The response follows when both are stored."""

import hashlib
import io
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from imageapi.catalog import idempotency_keys, images, uploads
from imageapi.catalog.uploads import NewUpload
from imageapi.config.settings import get_settings
from imageapi.database import db, locks
from imageapi.decoder import client as decoder
from imageapi.delivery import variant_store
from imageapi.errors import AppError, ConflictError
from imageapi.model.idempotency import IdempotencyKey, parse_idempotency_key, request_hash
from imageapi.model.ids import new_id
from imageapi.model.image_formats import find_kind
from imageapi.model.metadata import clean_metadata
from imageapi.model.picture import Picture
from imageapi.storage import s3
from imageapi.storage.object_keys import original_key
from imageapi.uploads.create_image import Stored, UploadInProgressError, create_image
from imageapi.uploads.idempotency import find_earlier_upload, sent_fields
from imageapi.uploads.undo import undo_upload

LEASE_SECONDS = 60
"""Lease of one request: twice the function's Timeout."""

MAX_SECONDS_BEFORE_INTERMEDIATE = 8
"""If checking and storing the original takes longer, no intermediate is stored: the client would wait."""


def upload_image(
    data: bytes,
    filename: str,
    metadata: Mapping[str, Any],
    *,
    idempotency_key: str | None = None,
    on_duplicate: str = "allow",
) -> Stored:
    """Store one image with its metadata.

    Args:
        data: the file, at least one byte.
        filename: for display and downloads; empty if the client sent none.
        metadata: Metadata in openapi.json.
        idempotency_key: the Idempotency-Key header. The same request with the same key is the same upload.
        on_duplicate: if an image with the same bytes exists, ``allow`` (the default) creates another,
            ``return`` returns the existing one, ``reject`` raises an error.

    Raises:
        InvalidFieldError, UnsupportedMediaTypeError, UnprocessableError: the metadata or the image is
            refused; nothing is stored.
        ConflictError: ``image_duplicate``, ``upload_in_progress`` or ``upload_interrupted``.
        DatabaseUnavailableError, StorageUnavailableError: not stored; send the same request again.
    """
    upload = check_upload(data, filename, metadata, idempotency_key, on_duplicate)
    row = _reserve(upload, on_duplicate)
    if isinstance(row, Stored):
        return row
    start = time.monotonic()
    picture = _store_object(row, data)
    stored = create_image(row, picture)
    if stored.created and picture.intermediate and time.monotonic() - start < MAX_SECONDS_BEFORE_INTERMEDIATE:
        variant_store.store_intermediate(row["id"], picture.intermediate)
    return stored


def check_upload(
    data: bytes, filename: str, metadata: Mapping[str, Any], idempotency_key: str | None, on_duplicate: str
) -> NewUpload:
    """Check a request. Nothing is stored or decoded. Arguments and errors as for :func:`upload_image`."""
    stored_key = parse_idempotency_key(idempotency_key)
    fields = clean_metadata(metadata)
    kind = find_kind(data)
    sha256 = hashlib.sha256(data).digest()
    sent = {
        "sha256": sha256,
        "filename": filename,
        "metadata": sent_fields(fields),
        "on_duplicate": on_duplicate,
    }
    upload_id, created_at = new_id()
    return NewUpload(
        id=upload_id,
        created_at=created_at,
        metadata=fields,
        filename=filename or f"{upload_id}.{kind.extension}",
        mime_type=kind.mime_type,
        size_bytes=len(data),
        sha256=sha256,
        s3_key=original_key(upload_id, kind.extension),
        idempotency_key=stored_key,
        request_hash=request_hash(sent),
        lease_seconds=LEASE_SECONDS,
    )


def _reserve(upload: NewUpload, on_duplicate: str) -> db.Row | Stored:
    """Insert the upload, or find the existing upload or image."""
    if on_duplicate == "allow":
        row: db.Row | Stored | None = uploads.insert(upload)
    else:
        is_refused = on_duplicate == "reject"
        row = db.transaction(lambda cursor: _insert_unless_duplicate(cursor, upload, is_refused=is_refused))
    return row or find_earlier_upload(upload, lambda upload_id: uploads.take_over(upload_id, LEASE_SECONDS))


def _insert_unless_duplicate(
    cursor: db.Cursor, upload: NewUpload, *, is_refused: bool
) -> db.Row | Stored | None:
    """Insert unless there is an image with these bytes, or the Idempotency-Key exists (then returns None). A
    lock admits one such upload at a time.

    Raises:
        ConflictError: ``image_duplicate``, if ``is_refused``; ``upload_in_progress``.
    """
    db.query(
        "SELECT pg_advisory_xact_lock(%s, hashtext(%s::text))", (locks.SAME_BYTES, upload.sha256), cursor
    )
    key = upload.idempotency_key
    if key and idempotency_keys.find_subject(IdempotencyKey(key, upload.request_hash), cursor):
        return None
    duplicate_id, is_under_way = uploads.find_same_bytes(cursor, upload.sha256)
    duplicate = images.find(duplicate_id, cursor) if duplicate_id else None
    if duplicate and is_refused:
        raise ConflictError(
            "An image with the same bytes already exists.",
            code="image_duplicate",
            details={"duplicate_of": duplicate_id},
        )
    if duplicate:
        return Stored(duplicate, created=False)
    if is_under_way:
        raise UploadInProgressError("The same bytes are being uploaded by another request. Try again.")
    return uploads.insert(upload, cursor)


def _store_object(row: db.Row, data: bytes) -> Picture:
    """Put the object while the decoder inspects the file. If either fails, the upload is undone."""
    try:
        with decoder.inspecting(io.BytesIO(data), get_settings().max_pixels) as inspection:
            sha256 = bytes.fromhex(row["sha256"])
            s3.put_object(row["s3_key"], data, content_type=row["mime_type"], sha256=sha256)
            return inspection.wait()
    except Exception:
        # Raise the first error. If the removal fails, a sweep retries it.
        with suppress(AppError):
            undo_upload(row)
        raise
