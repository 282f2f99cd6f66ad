"""Cursors: JSON values as an opaque string, bound to the filters of a list. Pure."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from imageapi.errors import InvalidCursorError, InvalidRequestError

_VERSION, _FILTER_BYTES = 1, 8


def encode_values(values: list[Any], filters: Mapping[str, Any]) -> str:
    """A cursor with JSON values, for a list with these filters."""
    text = json.dumps([_VERSION, *values], ensure_ascii=False, separators=(",", ":"))
    return _encode(_fingerprint(filters) + text.encode())


def decode_values(cursor: str, filters: Mapping[str, Any], *types: type | tuple[type, ...]) -> list[Any]:
    """The values in a cursor.

    Args:
        types: the exact type of each value, or a tuple of types.

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
        raise InvalidRequestError(
            "The cursor belongs to another list, filter or order. Start over without a cursor.",
            code="cursor_mismatch",
        )
    values: list[Any] = payload[1:]
    allowed = [kind if isinstance(kind, tuple) else (kind,) for kind in types]
    if len(values) != len(allowed):
        raise InvalidCursorError()
    if any(type(value) not in kinds for value, kinds in zip(values, allowed, strict=True)):
        raise InvalidCursorError()
    return values


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _fingerprint(filters: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(filters, sort_keys=True, default=str).encode()).digest()[:_FILTER_BYTES]
