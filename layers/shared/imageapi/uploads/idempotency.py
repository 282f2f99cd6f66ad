"""Idempotency-Key: a repeated request continues the same upload."""

from collections.abc import Callable, Mapping
from typing import Any

from imageapi.catalog import idempotency_keys, images
from imageapi.catalog.uploads import NewUpload
from imageapi.database import db
from imageapi.errors import UploadInterruptedError
from imageapi.model.idempotency import IdempotencyKey
from imageapi.uploads.create_image import Stored


def sent_fields(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata without empty fields, so that a retry has the same hash after a deploy adds a field."""
    return {name: value for name, value in metadata.items() if value}


def find_earlier_upload(
    upload: NewUpload, continue_upload: Callable[[str], db.Row | None]
) -> db.Row | Stored:
    """The pending upload with the Idempotency-Key of a new one, or the image that it has become.

    Args:
        continue_upload: assigns a pending upload to this request, by id; returns None if it is not pending.

    Raises:
        IdempotencyKeyReusedError: the key was used for a different request.
        UploadInterruptedError: the upload has just failed, or its image was deleted.
    """
    key = str(upload.idempotency_key)
    image_id = idempotency_keys.find_subject(IdempotencyKey(key, upload.request_hash))
    if image_id is None:
        raise UploadInterruptedError()
    pending = continue_upload(image_id)
    if pending:
        return pending
    image = images.find(image_id)
    if image:
        return Stored(image, created=False)
    idempotency_keys.remove(key, image_id)
    raise UploadInterruptedError()
