"""Cursors: where a page ended, as an opaque string bound to the list's filters. Pure."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from imageapi.errors import InvalidCursorError, InvalidRequestError
from imageapi.search.sort_orders import TIERS

_VERSION, _FILTER_BYTES = 1, 8


class Position(NamedTuple):
    """Where a page ended.

    Attributes:
        tier: index of the tier, best matches first; 0 for lists without tiers.
        key: sort key of the last image; None if the list is sorted by id alone.
        id: id of the last image that was read.
    """

    tier: int
    key: str | int | None
    id: UUID


def encode_cursor(position: Position, filters: Mapping[str, Any]) -> str:
    """The cursor for a list with these filters."""
    payload = [_VERSION, position.tier, position.key, position.id.hex]
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return _encode(_fingerprint(filters) + text.encode())


def decode_cursor(cursor: str, filters: Mapping[str, Any]) -> Position:
    """The position in a cursor.

    Raises:
        InvalidRequestError: ``cursor_invalid`` if it is not a cursor, ``cursor_mismatch`` if it belongs to a
            list with other filters or another order.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        version, tier, key, image_id = json.loads(raw[_FILTER_BYTES:])
        position = Position(tier, key, UUID(hex=image_id))
        str(key).encode()
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
        raise InvalidCursorError() from None
    types = (type(version), type(tier), type(key)) in ((int, int, kind) for kind in (type(None), int, str))
    known = types and version == _VERSION and tier in range(len(TIERS))
    if not known or "\0" in str(key) or _encode(raw) != cursor:
        raise InvalidCursorError()
    if raw[:_FILTER_BYTES] != _fingerprint(filters):
        raise InvalidRequestError("The cursor belongs to a list with other filters.", code="cursor_mismatch")
    return position


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _fingerprint(filters: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(filters, sort_keys=True, default=str).encode()).digest()[:_FILTER_BYTES]
