"""Idempotency-Key: the same request sent again is the same upload."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from imageapi.actor import ROOT, get_actor
from imageapi.catalog import idempotency_keys, images
from imageapi.catalog.uploads import NewUpload
from imageapi.database import db
from imageapi.errors import UnprocessableError, UploadInterruptedError
from imageapi.model.parameters import InvalidParameterError
from imageapi.uploads.create_image import Stored

MAX_KEY_LENGTH = 255
KEY_DAYS = 7
"""How long a key is remembered; the sweep removes older ones."""


def parse_idempotency_key(key: str | None) -> str | None:
    """The header as it is stored: with the id of the API key, so that those of two API keys never meet.

    Raises:
        InvalidParameterError: it is too long, or has other characters.
    """
    if key is None:
        return None
    if not (1 <= len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidParameterError(
            "Idempotency-Key", "value", f"must have 1 to {MAX_KEY_LENGTH} printable ASCII characters"
        )
    owner = get_actor().key_id or ROOT
    # A line feed is not printable: no root key's header looks like another key's.
    return key if owner == ROOT else f"{owner}\n{key}"


def request_hash(request: Mapping[str, Any]) -> bytes:
    """32 bytes, equal for equal requests.

    Args:
        request: JSON values, or bytes.
    """
    text = json.dumps(request, sort_keys=True, separators=(",", ":"), default=bytes.hex)
    return hashlib.sha256(text.encode()).digest()


def sent_fields(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata without empty fields, so a retry hashes the same after a deploy adds a field."""
    return {name: value for name, value in metadata.items() if value}


def find_earlier_upload(
    upload: NewUpload, continue_upload: Callable[[str], db.Row | None]
) -> db.Row | Stored:
    """The pending upload that has the Idempotency-Key of a new one, or the image that it has become.

    Args:
        continue_upload: makes a pending upload, named by its id, that of this request; None if it is not
            pending.

    Raises:
        UnprocessableError: ``idempotency_key_reused``: the key was used with another request.
        UploadInterruptedError: the upload has just failed, or its image was deleted.
    """
    key = str(upload.idempotency_key)
    found = idempotency_keys.find(key)
    if not found:
        raise UploadInterruptedError()
    if bytes(found["request_hash"]) != upload.request_hash:
        raise UnprocessableError(
            "This Idempotency-Key was used for another upload.", code="idempotency_key_reused"
        )
    image_id = found["image_id"]
    pending = continue_upload(image_id)
    if pending:
        return pending
    image = images.find(image_id)
    if image:
        return Stored(image, created=False)
    idempotency_keys.remove(key, image_id)
    raise UploadInterruptedError()
