"""Cursors of lists and searches: the end of a page. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from imageapi.errors import InvalidCursorError
from imageapi.model.cursor_codec import decode_values, encode_values
from imageapi.search.sort_orders import TIERS


class Position(NamedTuple):
    """The end of a page.

    Attributes:
        tier: index of the tier, best matches first; 0 for lists without tiers.
        key: sort key of the last image; None in time order.
        id: id of the last image that was read.
    """

    tier: int
    key: str | int | None
    id: UUID


def encode_cursor(position: Position, filters: Mapping[str, Any]) -> str:
    """The cursor for a list with these filters."""
    return encode_values([position.tier, position.key, position.id.hex], filters)


def decode_cursor(cursor: str, filters: Mapping[str, Any]) -> Position:
    """The position in a cursor.

    Raises:
        InvalidRequestError: ``cursor_invalid`` if it is not a cursor, ``cursor_mismatch`` if it belongs to a
            list with other filters or another order.
    """
    tier, key, image_id = decode_values(cursor, filters, int, (type(None), int, str), str)
    try:
        position = Position(tier, key, UUID(hex=image_id))
        str(key).encode()
    except ValueError:
        raise InvalidCursorError() from None
    if tier not in range(len(TIERS)) or "\0" in str(key):
        raise InvalidCursorError()
    return position
