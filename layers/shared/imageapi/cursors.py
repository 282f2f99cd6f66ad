"""Cursors: where a page ended, as an opaque text that only fits the filters it was made for. Pure."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from imageapi.errors import InvalidRequestError

_VERSION = 1
_FILTER_BYTES = 6


def encode_cursor(image_id: UUID, filters: Mapping[str, Any]) -> str:
    """The cursor of a page whose last image is ``image_id``."""
    return _encode(bytes([_VERSION]) + image_id.bytes + _fingerprint(filters))


def decode_cursor(cursor: str, filters: Mapping[str, Any]) -> UUID:
    """The id of the last image of the page before.

    Raises:
        InvalidRequestError: ``cursor_invalid`` when it is no cursor, ``cursor_mismatch`` when it belongs to
            a list with other filters.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != 17 + _FILTER_BYTES or raw[0] != _VERSION or _encode(raw) != cursor:
        raise InvalidRequestError("The cursor is not one that this API gave out.", code="cursor_invalid")
    if raw[17:] != _fingerprint(filters):
        raise InvalidRequestError("The cursor belongs to a list with other filters.", code="cursor_mismatch")
    return UUID(bytes=raw[1:17])


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _fingerprint(filters: Mapping[str, Any]) -> bytes:
    text = json.dumps(filters, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).digest()[:_FILTER_BYTES]
