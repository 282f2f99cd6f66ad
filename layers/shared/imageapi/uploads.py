"""Direct uploads: one request brings the picture and its metadata; the response comes when both are stored.

If the process ends halfway, the row stays pending. The same request with its Idempotency-Key finishes it, or
a sweep removes it (see ``rows``).
"""

import hashlib
import io
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from threading import Event

from imageapi import db, imaging, storage
from imageapi.config import get_settings
from imageapi.errors import AppError, ConflictError, InvalidRequestError
from imageapi.forms import UploadForm
from imageapi.idempotency import check_idempotency_key, request_hash, resume
from imageapi.metadata import Metadata, parse_json_object, validate_metadata
from imageapi.renditions import keep_copy
from imageapi.rows import (
    COLUMNS,
    NewImage,
    Stored,
    content_lock,
    insert_pending,
    mark_ready,
    new_id,
    remove,
)

ON_DUPLICATE = ("allow", "return", "reject")
PATIENCE_SECONDS = 60
"""A pending row younger than this may still be in progress: twice the function's Timeout."""

HURRY_SECONDS = 8
"""When checking and storing the original took longer, the client does not wait for a copy, too."""


@dataclass(frozen=True)
class Upload:
    """One checked request, before anything is stored."""

    form: UploadForm
    metadata: Metadata
    kind: imaging.Kind
    sha256: bytes
    idempotency_key: str | None
    on_duplicate: str

    @property
    def request_hash(self) -> bytes:
        """Equal for requests with the same bytes, name, metadata and ``on_duplicate``."""
        parts = {
            "sha256": self.sha256,
            "filename": self.form.filename,
            "metadata": asdict(self.metadata),
            "on_duplicate": self.on_duplicate,
        }
        return request_hash(parts)


def upload_image(
    form: UploadForm, *, idempotency_key: str | None = None, on_duplicate: str | None = None
) -> Stored:
    """Store one image with its metadata.

    Args:
        form: the parsed body.
        idempotency_key: the header of that name: the same key with the same request is the same upload.
        on_duplicate: what to do when an image with the same bytes exists: ``allow`` (the default) makes
            another, ``return`` returns the existing one, ``reject`` refuses.

    Raises:
        InvalidRequestError, UnsupportedMediaTypeError, UnprocessableError: the request or the picture is
            refused, and nothing stays behind.
        ConflictError: ``duplicate_image``, ``upload_in_progress`` or ``upload_interrupted``.
        DatabaseUnavailableError, StorageUnavailableError: not stored; send the same request again.
    """
    upload = _check(form, idempotency_key, on_duplicate)
    row, existing = _reserve(upload)
    if existing:
        return Stored(row, created=False)
    return _store(upload, row)


def _check(form: UploadForm, idempotency_key: str | None, on_duplicate: str | None) -> Upload:
    if on_duplicate is not None and on_duplicate not in ON_DUPLICATE:
        raise InvalidRequestError(
            f"on_duplicate must be one of {', '.join(ON_DUPLICATE)}.", code="on_duplicate_invalid"
        )
    check_idempotency_key(idempotency_key)
    metadata = validate_metadata(parse_json_object(form.metadata))
    kind = imaging.identify(io.BytesIO(form.data), get_settings().max_pixels)
    return Upload(
        form,
        metadata,
        kind,
        hashlib.sha256(form.data).digest(),
        idempotency_key,
        on_duplicate or ON_DUPLICATE[0],
    )


def _reserve(upload: Upload) -> tuple[db.Row, bool]:
    """Write the pending row, or find the one that this upload already is.

    Returns:
        The row, and True when it is ready already.
    """
    if upload.on_duplicate == "allow":
        row = insert_pending(_new_image(upload))
    else:
        duplicate, row = db.transaction(lambda cursor: _insert_unless_duplicate(cursor, upload))
        if duplicate:
            return duplicate, True
    if not row:
        row = resume(str(upload.idempotency_key), upload.request_hash, PATIENCE_SECONDS)
    return row, row["status"] == "ready"


def _new_image(upload: Upload) -> NewImage:
    image_id, created_at = new_id()
    return NewImage(
        id=image_id,
        created_at=created_at,
        metadata=upload.metadata,
        filename=upload.form.filename or f"{image_id}.{upload.kind.extension}",
        s3_key=storage.original_key(image_id, upload.kind.extension),
        mime_type=upload.kind.mime_type,
        size_bytes=len(upload.form.data),
        sha256=upload.sha256,
        idempotency_key=upload.idempotency_key,
        request_hash=upload.request_hash,
        lease_seconds=PATIENCE_SECONDS,
    )


def _insert_unless_duplicate(cursor: db.Cursor, upload: Upload) -> tuple[db.Row | None, db.Row | None]:
    """Insert unless an image with these bytes, or a row with this Idempotency-Key, is there. The lock makes
    two such uploads take turns.

    Returns:
        The image with these bytes, and the row that was inserted; at most one of them.
    """
    db.fetch(cursor, "SELECT pg_advisory_xact_lock(%s)", (content_lock(upload.sha256),))
    key = upload.idempotency_key
    if key and db.fetch(cursor, "SELECT 1 FROM image_metadata WHERE idempotency_key = %s", (key,)):
        return None, None
    found = db.fetch(
        cursor,
        f"""SELECT {COLUMNS} FROM image_metadata
            WHERE sha256 = %s AND (status = 'ready'
                                   OR (status = 'pending' AND sweep_after > now()
                                       AND s3_key LIKE 'originals/%%'))
            ORDER BY status DESC, id""",
        (upload.sha256,),
    )
    if not found:
        return None, insert_pending(_new_image(upload), cursor)
    first = found[0]
    if first["status"] == "pending":
        raise ConflictError(
            "An upload of the same bytes is under way. Try again.", code="upload_in_progress", retry_after=2
        )
    if upload.on_duplicate == "reject":
        raise ConflictError(
            "An image with the same bytes is there already.",
            code="duplicate_image",
            details={"duplicate_of": first["id"]},
        )
    return first, None


def _store(upload: Upload, row: db.Row) -> Stored:
    """Put the object and make the row ready; remove both when that fails."""
    start = time.monotonic()
    try:
        # The picture is decoded while the object is sent: both release the interpreter lock.
        with _decoding(upload.form.data) as picture:
            storage.put_object(
                row["s3_key"], upload.form.data, content_type=upload.kind.mime_type, sha256=upload.sha256
            )
            facts = picture.result()
    except AppError:
        # The first error is the one to report. What cannot be removed now is removed by a sweep.
        with suppress(AppError):
            remove(row["id"], ["pending"])
        raise
    ready = mark_ready(row, facts, upload.sha256)
    if facts.reduced and time.monotonic() - start < HURRY_SECONDS:
        keep_copy(row["id"], facts.reduced)
    return Stored(ready, created=True)


@contextmanager
def _decoding(data: bytes) -> Iterator["Future[imaging.Picture]"]:
    """Decode in another thread. It has ended when this ends: otherwise it would use up the next request's
    time and memory.
    """
    cancelled = Event()
    picture = _decoder().submit(imaging.inspect, io.BytesIO(data), get_settings().max_pixels, cancelled)
    try:
        yield picture
    finally:
        cancelled.set()
        wait([picture])


@lru_cache(maxsize=1)
def _decoder() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode")
