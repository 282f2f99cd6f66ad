"""Presigned uploads: the client sends the file straight to the object store; it is checked afterwards.

First a row is written, and the client gets a form with which one file of one size and type can be posted to
``incoming/<id>``. Then :func:`complete_upload` checks the file like a direct upload and copies it to its
final key. The client, S3's event and a sweep may all call it; the first one does the work. The copy is needed
because the form stays usable until it expires, and must not change an image that has been checked.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from imageapi import db, imaging, renditions, rows, signing, storage
from imageapi.bounds import TooComplexError
from imageapi.config import get_settings
from imageapi.errors import (
    AppError,
    ConflictError,
    NotFoundError,
    ObjectMissingError,
    PayloadTooLargeError,
    UnprocessableError,
    UnsupportedMediaTypeError,
)
from imageapi.filenames import clean_filename
from imageapi.idempotency import check_idempotency_key, request_hash, resume
from imageapi.images import parse_id
from imageapi.metadata import Metadata, validate_metadata
from imageapi.rows import Stored

FORM_SECONDS = 3600
"""How long the form can be used."""

PATIENCE_SECONDS = FORM_SECONDS + 600
CLAIM_SECONDS = 240
"""How long a request that has checked the file may still be storing it: twice the Timeout of ingest."""
FIELDS = ("filename", "size_bytes", "mime_type", "sha256", "metadata")

_REFUSALS: dict[str, type[AppError]] = {
    UnsupportedMediaTypeError.code: UnsupportedMediaTypeError,
    "unsupported_image_type": UnsupportedMediaTypeError,
    PayloadTooLargeError.code: PayloadTooLargeError,
}
"""The class of error for a stored ``failure``; all others are UnprocessableError."""


@dataclass(frozen=True)
class Announcement:
    """What a client says about the file that it is going to send."""

    filename: str
    size_bytes: int
    mime_type: str
    sha256: bytes | None
    metadata: Metadata

    @property
    def request_hash(self) -> bytes:
        """Equal for two requests that announce the same."""
        return request_hash(asdict(self))


def create_upload(values: dict[str, Any], idempotency_key: str | None) -> tuple[dict[str, Any], bool]:
    """Write the pending row and make the form.

    Args:
        values: the request: ``filename``, ``size_bytes``, ``mime_type``, and optionally ``sha256`` (64 hex
            digits) and ``metadata``.

    Returns:
        ``{"id", "form": {"url", "fields", "expires_at"} | None, "complete_path"}``, and whether the row is
        new. The form is None when the upload with this Idempotency-Key is complete already.

    Raises:
        UnprocessableError: ``upload_invalid`` with ``details.field``, or as for metadata.
        PayloadTooLargeError, UnsupportedMediaTypeError: such a file will not be taken.
    """
    check_idempotency_key(idempotency_key)
    announced = parse_announcement(values)
    image_id, created_at = rows.new_id()
    inserted = rows.insert_pending(
        rows.NewImage(
            id=image_id,
            created_at=created_at,
            metadata=announced.metadata,
            filename=announced.filename,
            s3_key=storage.incoming_key(image_id),
            mime_type=announced.mime_type,
            size_bytes=announced.size_bytes,
            sha256=announced.sha256,
            idempotency_key=idempotency_key,
            request_hash=announced.request_hash,
            lease_seconds=PATIENCE_SECONDS,
        )
    )
    row = inserted or resume(str(idempotency_key), announced.request_hash, PATIENCE_SECONDS)
    form = None
    if row["status"] == "pending":
        form = signing.presign_post(
            storage.incoming_key(row["id"]),
            size_bytes=announced.size_bytes,
            content_type=announced.mime_type,
            expires_in=signing.limit_lifetime(FORM_SECONDS),
        )
    path = f"/api/uploads/{row['id']}/complete"
    return {"id": row["id"], "form": form, "complete_path": path}, bool(inserted)


def parse_announcement(values: dict[str, Any]) -> Announcement:
    """Check the body of ``POST /api/uploads``; raises as :func:`create_upload`."""
    for key in values:
        if key not in FIELDS:
            raise _invalid(
                key[:64].encode("utf-8", "replace").decode(), f"is not known; known are {', '.join(FIELDS)}"
            )
    filename, size, mime_type = values.get("filename"), values.get("size_bytes"), values.get("mime_type")
    if not isinstance(filename, str) or not clean_filename(filename):
        raise _invalid("filename", "must be a name")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise _invalid("size_bytes", "must be a whole number, 1 or more")
    limit = get_settings().max_upload_bytes
    if size > limit:
        raise PayloadTooLargeError(f"At most {limit:,} bytes are accepted.", details={"max_bytes": limit})
    known = [mime for mime, _ in imaging.MIME_TYPES.values()]
    if mime_type not in known:
        raise UnsupportedMediaTypeError(
            f"mime_type must be one of {', '.join(known)}.",
            code="unsupported_image_type",
            details={"known": known},
        )
    metadata = values.get("metadata", {})
    if not isinstance(metadata, dict):
        raise _invalid("metadata", "must be an object")
    return Announcement(
        clean_filename(filename), size, mime_type, _parse_sha256(values), validate_metadata(metadata)
    )


def _parse_sha256(values: dict[str, Any]) -> bytes | None:
    digest = values.get("sha256")
    if digest is None:
        return None
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", digest):
        raise _invalid("sha256", "must have 64 hexadecimal digits")
    return bytes.fromhex(digest)


def complete_upload(image_id: str) -> Stored:
    """Check the file that was sent and make the image ready. Safe to call again, and by several at once.

    Raises:
        NotFoundError: there is no such upload.
        ConflictError: ``upload_not_arrived``: the file is not there yet.
        UnprocessableError, UnsupportedMediaTypeError, PayloadTooLargeError: the file was refused (now or
            before) and removed.
        TooComplexError: the file was refused; when that is not final it is kept, and another call tries
            again.
        DatabaseUnavailableError, StorageUnavailableError: not finished; call again.
    """
    row = rows.find(image_id) if rows.ID.fullmatch(image_id) else None
    if row is None or row["status"] == "deleting":
        raise NotFoundError("There is no such upload.", code="upload_not_found")
    if settled := _find_outcome(row):
        return settled
    try:
        return Stored(_ingest(row), created=True)
    except ObjectMissingError as error:
        missing: AppError = error
    except (UnprocessableError, UnsupportedMediaTypeError, PayloadTooLargeError) as error:
        is_final = not isinstance(error, TooComplexError) or error.is_final
        if not is_final or _fail(row, error):
            raise
        missing = error
    # Not there yet, or another request has settled the upload or claimed it for other bytes.
    now = rows.find(image_id)
    if now and (settled := _find_outcome(now)):
        return settled
    raise ConflictError(
        "The file has not arrived yet.", code="upload_not_arrived", retry_after=1
    ) from missing


def _find_outcome(row: db.Row) -> Stored | None:
    """The image of an upload that is complete; None while it is pending; raises the error of a failed one."""
    if row["status"] == "failed":
        kind = _REFUSALS.get(row["failure"], UnprocessableError)
        raise kind("What was uploaded was refused.", code=row["failure"])
    return Stored(row, created=False) if row["status"] == "ready" else None


def complete_uploads(image_ids: Iterable[str]) -> dict[str, Any]:
    """Complete the uploads whose files have arrived; an id may be anything that stands in an object's key.

    Returns:
        ``{"completed": [id], "refused": {id: code}}``.

    Raises:
        DatabaseUnavailableError, StorageUnavailableError: not all could be looked at; call again with all.
    """
    outcome: dict[str, Any] = {"completed": [], "refused": {}}
    for image_id in image_ids:
        try:
            complete_upload(parse_id(image_id))
            outcome["completed"].append(image_id)
        except AppError as error:
            if error.status >= 500:
                raise
            outcome["refused"][image_id] = error.code
    return outcome


def _ingest(row: db.Row) -> db.Row:
    incoming = storage.incoming_key(row["id"])
    with storage.downloaded(incoming, max_bytes=row["size_bytes"]) as file:
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").digest()
        if row["sha256"] not in (None, sha256.hex()):
            raise UnprocessableError("The file is not the one announced.", code="sha256_mismatch")
        picture = imaging.inspect(file, get_settings().max_pixels)
        claimed = _claim(row, picture.kind, sha256)
        storage.put_object(claimed["s3_key"], file, content_type=picture.kind.mime_type, sha256=sha256)
    ready = rows.mark_ready(claimed, picture, sha256)
    storage.delete_objects([incoming])
    if picture.reduced:
        renditions.keep_copy(row["id"], picture.reduced)
    return ready


def _claim(row: db.Row, kind: imaging.Kind, sha256: bytes) -> db.Row:
    """Write the final key and the hash of the bytes into the row, before the object is put.

    The form can be used again while a file is being checked, and several requests may be checking. The first
    claim decides which bytes the image has; for all others it is as if no file had arrived.

    Raises:
        ObjectMissingError: the row is not pending any more, or claimed for other bytes.
    """
    key = storage.original_key(row["id"], kind.extension)
    claimed = db.query(
        f"""UPDATE image_metadata
            SET s3_key = %(key)s, mime_type = %(mime_type)s, sha256 = %(sha256)s,
                sweep_after = now() + make_interval(secs => %(patience)s)
            WHERE id = %(id)s AND status = 'pending' AND coalesce(sha256, %(sha256)s) = %(sha256)s
            RETURNING {rows.COLUMNS}""",
        {
            "id": row["id"],
            "key": key,
            "mime_type": kind.mime_type,
            "sha256": sha256,
            "patience": CLAIM_SECONDS,
        },
    )
    if not claimed:
        raise ObjectMissingError("The upload is not pending any more, or has other bytes.")
    return claimed[0]


def _fail(row: db.Row, error: AppError) -> bool:
    """Record why the upload was refused, so that the client can be told, and remove the file.

    Returns:
        False when nothing was done: the row is not pending any more, or claimed for another file.
    """
    incoming = storage.incoming_key(row["id"])
    failed = db.query(
        """UPDATE image_metadata
           SET status = 'failed', failure = %s, idempotency_key = NULL, updated_at = now(),
               sweep_after = now() + interval '1 day'
           WHERE id = %s AND status = 'pending' AND s3_key = %s RETURNING id""",
        (error.code, row["id"], incoming),
    )
    if failed:
        storage.delete_objects([incoming])
    return bool(failed)


def _invalid(field: str, problem: str) -> UnprocessableError:
    return UnprocessableError(
        f"The field {field} {problem}.", code="upload_invalid", details={"field": field}
    )
