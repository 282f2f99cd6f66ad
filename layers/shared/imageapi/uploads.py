"""Direct uploads: the row comes first, then the object, then the row turns ready.

At whatever point this stops, every object has a row, and a row that never turned ready can be finished by
the same request sent again with its Idempotency-Key, or undone by a sweep.
"""

import hashlib
import io
import json
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import psycopg2.extras
import uuid_utils

from imageapi import db, imaging, storage
from imageapi.config import get_settings
from imageapi.errors import AppError, ConflictError, InvalidRequestError, UnprocessableError
from imageapi.forms import UploadForm
from imageapi.images import COLUMNS
from imageapi.metadata import Metadata, parse_json_object, validate_metadata

ON_DUPLICATE = ("allow", "return", "reject")
MAX_IDEMPOTENCY_KEY_LENGTH = 255
IN_PROGRESS_SECONDS = 60
"""A pending row that was touched within this time may still be at work: longer than the function's
Timeout.
"""


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
        """Equal for two requests that ask for the same: the same bytes, name, metadata and handling of
        duplicates.
        """
        parts = [self.form.filename, asdict(self.metadata), self.on_duplicate]
        return hashlib.sha256(self.sha256 + json.dumps(parts, sort_keys=True).encode()).digest()


@dataclass(frozen=True)
class Stored:
    """What became of an upload: the row, and whether this request made it."""

    row: db.Row
    created: bool


def upload_image(
    form: UploadForm, *, idempotency_key: str | None = None, on_duplicate: str | None = None
) -> Stored:
    """Store one image with its metadata.

    Args:
        form: the parsed body.
        idempotency_key: the header of that name: the same key with the same request is the same upload.
        on_duplicate: what to do when an image with the same bytes is there: ``allow`` (the default) makes
            another, ``return`` answers with the one that is there, ``reject`` refuses.

    Raises:
        InvalidRequestError, UnsupportedMediaTypeError, UnprocessableError: the request or the picture is
            refused, and nothing stays behind.
        ConflictError: ``duplicate_image``, ``upload_in_progress`` or ``upload_interrupted``.
        DatabaseUnavailableError, StorageUnavailableError: not stored; send the same request again.
    """
    upload = _check(form, idempotency_key, on_duplicate)
    # The picture is decoded while the row and the object are written: all three let go of the interpreter.
    picture = _decoder().submit(imaging.inspect, io.BytesIO(form.data), get_settings().max_pixels)
    row, existing = _reserve(upload)
    if existing:
        return Stored(row, created=False)
    return _store(upload, row, picture)


def _check(form: UploadForm, idempotency_key: str | None, on_duplicate: str | None) -> Upload:
    if on_duplicate is not None and on_duplicate not in ON_DUPLICATE:
        raise InvalidRequestError(
            f"on_duplicate must be one of {', '.join(ON_DUPLICATE)}.", code="on_duplicate_invalid"
        )
    if idempotency_key is not None and not (
        1 <= len(idempotency_key) <= MAX_IDEMPOTENCY_KEY_LENGTH
        and idempotency_key.isascii()
        and idempotency_key.isprintable()
    ):
        raise InvalidRequestError(
            f"Idempotency-Key must have 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} printable ASCII characters.",
            code="idempotency_key_invalid",
        )
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
        rows = db.query(_INSERT, _insert_values(upload))
    else:
        duplicate, rows = db.transaction(lambda cursor: _insert_unless_duplicate(cursor, upload))
        if duplicate:
            return duplicate, True
    if rows:
        return rows[0], False
    return _resume(upload)


_INSERT = f"""
    INSERT INTO image_metadata (id, status, title, description, category, tags, filename, s3_key, mime_type,
                                size_bytes, sha256, idempotency_key, request_hash)
    VALUES (%(id)s, 'pending', %(title)s, %(description)s, %(category)s, %(tags)s, %(filename)s, %(s3_key)s,
            %(mime_type)s, %(size_bytes)s, %(sha256)s, %(idempotency_key)s, %(request_hash)s)
    ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING {COLUMNS}"""


def _insert_values(upload: Upload) -> dict[str, Any]:
    image_id = str(uuid_utils.uuid7())
    return {
        "id": image_id,
        "title": upload.metadata.title,
        "description": upload.metadata.description,
        "category": upload.metadata.category,
        "tags": list(upload.metadata.tags),
        "filename": upload.form.filename or f"{image_id}.{upload.kind.extension}",
        "s3_key": storage.original_key(image_id, upload.kind.extension),
        "mime_type": upload.kind.mime_type,
        "size_bytes": len(upload.form.data),
        "sha256": upload.sha256,
        "idempotency_key": upload.idempotency_key,
        "request_hash": upload.request_hash,
    }


def _insert_unless_duplicate(cursor: db.Cursor, upload: Upload) -> tuple[db.Row | None, list[db.Row]]:
    """Insert unless an image with these bytes is there. The lock makes two such uploads take turns."""
    lock = int.from_bytes(upload.sha256[:8], "big", signed=True)
    db.fetch(cursor, "SELECT pg_advisory_xact_lock(%s)", (lock,))
    found = db.fetch(
        cursor,
        f"""SELECT {COLUMNS}, idempotency_key FROM image_metadata
            WHERE sha256 = %s AND (status = 'ready'
                                   OR (status = 'pending' AND updated_at > now() - make_interval(secs => %s)))
            ORDER BY status DESC, id""",
        (upload.sha256, IN_PROGRESS_SECONDS),
    )
    own = [
        row for row in found if upload.idempotency_key and row["idempotency_key"] == upload.idempotency_key
    ]
    if own or not found:
        return None, db.fetch(cursor, _INSERT, _insert_values(upload))
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
    return first, []


def _resume(upload: Upload) -> tuple[db.Row, bool]:
    """Take up the upload that has this Idempotency-Key: finished, at work, or cut off on its way."""
    rows = db.query(
        f"""UPDATE image_metadata SET updated_at = CASE status WHEN 'pending' THEN now() ELSE updated_at END
            WHERE idempotency_key = %s RETURNING {COLUMNS}, request_hash""",
        (upload.idempotency_key,),
    )
    if not rows:
        raise _interrupted()
    row = rows[0]
    if bytes(row["request_hash"]) != upload.request_hash:
        raise UnprocessableError(
            "This Idempotency-Key was used for another upload.", code="idempotency_key_reused"
        )
    return row, row["status"] == "ready"


def _store(upload: Upload, row: db.Row, picture: "Future[imaging.Picture]") -> Stored:
    """Put the object and make the row ready; undo both when either cannot be done."""
    try:
        storage.put_object(
            row["s3_key"], upload.form.data, content_type=upload.kind.mime_type, sha256=upload.sha256
        )
        facts = picture.result()
    except AppError:
        # Whatever stands in the way of undoing must not hide why: the sweep undoes it later.
        with suppress(AppError):
            undo_pending(row["id"], row["s3_key"])
        raise
    return Stored(_mark_ready(row, facts), created=True)


def _mark_ready(row: db.Row, picture: imaging.Picture) -> db.Row:
    values = {
        "id": row["id"],
        "width": picture.width,
        "height": picture.height,
        "frames": picture.frames,
        "placeholder": picture.placeholder,
        "exif": psycopg2.extras.Json(picture.exif),
    }
    ready = db.query(_MARK_READY, values)
    if ready:
        return ready[0]
    # Not pending any more: a twin with the same Idempotency-Key was faster, or a sweep has undone it.
    now = db.query(f"SELECT {COLUMNS} FROM image_metadata WHERE id = %s AND status = 'ready'", (row["id"],))
    if now:
        return now[0]
    storage.delete_object(row["s3_key"])
    raise _interrupted()


_MARK_READY = f"""
    UPDATE image_metadata AS image
    SET status = 'ready', width = %(width)s, height = %(height)s, frames = %(frames)s,
        placeholder = %(placeholder)s, exif = %(exif)s, updated_at = now(),
        duplicate_of = (SELECT other.id FROM image_metadata AS other
                        WHERE other.sha256 = image.sha256 AND other.status = 'ready'
                        ORDER BY other.id LIMIT 1)
    WHERE id = %(id)s AND status = 'pending'
    RETURNING {COLUMNS}"""


def undo_pending(image_id: str, key: str) -> None:
    """Remove a row that never turned ready, and its object: the object first, so that none is left without a
    row.

    Raises:
        DatabaseUnavailableError, StorageUnavailableError: the row is still there, for a sweep to find.
    """
    claimed = db.query(
        """UPDATE image_metadata SET status = 'deleting', idempotency_key = NULL, updated_at = now()
           WHERE id = %s AND status IN ('pending', 'deleting') RETURNING id""",
        (image_id,),
    )
    if claimed:
        storage.delete_object(key)
        db.query("DELETE FROM image_metadata WHERE id = %s AND status = 'deleting'", (image_id,))


def _interrupted() -> ConflictError:
    return ConflictError(
        "The upload took too long and was undone. Send it again.", code="upload_interrupted", retry_after=1
    )


@lru_cache(maxsize=1)
def _decoder() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="decode")
