"""Register an upload: the client then posts the file to the object store, and ``complete`` checks it.

The presigned form posts one file of one size and type to ``incoming/<id>``.
"""

from typing import Any

from imageapi.catalog import uploads
from imageapi.catalog.uploads import NewUpload
from imageapi.config.settings import get_settings
from imageapi.errors import PayloadTooLargeError, UnsupportedMediaTypeError
from imageapi.model.filenames import clean_filename
from imageapi.model.idempotency import parse_idempotency_key, request_hash
from imageapi.model.ids import new_id
from imageapi.model.image_formats import MIME_TYPES, OTHER_TYPES
from imageapi.model.metadata import clean_metadata
from imageapi.model.schemas import InvalidFieldError
from imageapi.storage import signing
from imageapi.storage.object_keys import incoming_key
from imageapi.uploads.get import serialize_upload
from imageapi.uploads.idempotency import find_earlier_upload, sent_fields

FORM_SECONDS = 3600
"""How long the form is valid."""
OPEN_SECONDS = FORM_SECONDS + 600
"""How long the sweep waits for the file and for the completion of the upload."""
UNKNOWN_TYPE = "application/octet-stream"


def create_upload(
    values: dict[str, Any], idempotency_key: str | None, base_url: str
) -> tuple[dict[str, Any], bool]:
    """Insert the pending row and sign the form.

    Args:
        values: the request: NewUpload in openapi.json.

    Returns:
        Upload in openapi.json, and whether the row is new. The form is None if the file of an earlier upload
        with this Idempotency-Key has arrived.

    Raises:
        InvalidFieldError: a field of the request or its metadata is invalid.
        PayloadTooLargeError, UnsupportedMediaTypeError: the size or the type is not accepted.
    """
    upload = parse_upload(values, idempotency_key)
    inserted = uploads.insert(upload)
    found = inserted or find_earlier_upload(
        upload, lambda upload_id: uploads.extend_expiry(upload_id, OPEN_SECONDS)
    )
    shown = serialize_upload(found, base_url)
    if shown["status"] == "waiting":
        shown["form"] = signing.presign_post(
            incoming_key(shown["id"]),
            size_bytes=upload.size_bytes,
            content_type=upload.mime_type,
            expires_in=signing.limit_lifetime(FORM_SECONDS),
        )
    return shown, bool(inserted)


def parse_upload(values: dict[str, Any], idempotency_key: str | None) -> NewUpload:
    """Check the body of ``POST /api/uploads``. Errors as for :func:`create_upload`."""
    stored_key = parse_idempotency_key(idempotency_key)
    filename, size = clean_filename(values["filename"]), values["size_bytes"]
    mime_type = OTHER_TYPES.get(values["mime_type"], values["mime_type"])
    if not filename:
        raise InvalidFieldError("filename", "value", "must be a file name")
    limit = get_settings().max_upload_bytes
    if size > limit:
        raise PayloadTooLargeError(f"The file is larger than {limit:,} bytes.", details={"max_bytes": limit})
    if mime_type not in (*MIME_TYPES, UNKNOWN_TYPE):
        raise UnsupportedMediaTypeError(
            f"mime_type must be one of {', '.join(MIME_TYPES)}. If it is unknown, leave it out.",
            code="unsupported_image_type",
            details={"known": MIME_TYPES},
        )
    digest = values.get("sha256")
    announced = {
        "filename": filename,
        "size_bytes": size,
        "mime_type": mime_type,
        "sha256": bytes.fromhex(digest) if digest else None,
        "metadata": clean_metadata(values.get("metadata", {})),
    }
    upload_id, created_at = new_id()
    return NewUpload(
        **announced,
        id=upload_id,
        created_at=created_at,
        idempotency_key=stored_key,
        request_hash=request_hash({**announced, "metadata": sent_fields(announced["metadata"])}),
        open_seconds=OPEN_SECONDS,
    )
