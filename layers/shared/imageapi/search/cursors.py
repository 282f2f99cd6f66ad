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
    return encode_payload([position.tier, position.key, position.id.hex], filters)


def decode_cursor(cursor: str, filters: Mapping[str, Any]) -> Position:
    """The position in a cursor.

    Raises:
        InvalidRequestError: ``cursor_invalid`` if it is not a cursor, ``cursor_mismatch`` if it belongs to a
            list with other filters or another order.
    """
    try:
        tier, key, image_id = decode_payload(cursor, filters)
        position = Position(tier, key, UUID(hex=image_id))
        str(key).encode()
    except (ValueError, TypeError, AttributeError):
        raise InvalidCursorError() from None
    known = (type(tier), type(key)) in ((int, kind) for kind in (type(None), int, str))
    if not known or tier not in range(len(TIERS)) or "\0" in str(key):
        raise InvalidCursorError()
    return position


def encode_payload(payload: list[Any], filters: Mapping[str, Any]) -> str:
    """A cursor with any JSON values, for a list with these filters."""
    text = json.dumps([_VERSION, *payload], ensure_ascii=False, separators=(",", ":"))
    return _encode(_fingerprint(filters) + text.encode())


def decode_payload(cursor: str, filters: Mapping[str, Any]) -> list[Any]:
    """The values in a cursor; the caller checks their number and types.

    Raises:
        InvalidRequestError: ``cursor_invalid``, ``cursor_mismatch``.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        payload: Any = json.loads(raw[_FILTER_BYTES:])
    except (ValueError, RecursionError, binascii.Error):
        raise InvalidCursorError() from None
    versioned = isinstance(payload, list) and payload[:1] == [_VERSION] and type(payload[0]) is int
    if not versioned or _encode(raw) != cursor:
        raise InvalidCursorError()
    if raw[:_FILTER_BYTES] != _fingerprint(filters):
        raise InvalidRequestError("The cursor belongs to another list.", code="cursor_mismatch")
    values: list[Any] = payload[1:]
    return values


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _fingerprint(filters: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(filters, sort_keys=True, default=str).encode()).digest()[:_FILTER_BYTES]
