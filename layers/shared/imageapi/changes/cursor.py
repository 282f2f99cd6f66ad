"""Cursors of the feed and of histories: positions of the last change that was read. Pure."""

from datetime import datetime
from typing import NamedTuple

from imageapi.errors import InvalidCursorError
from imageapi.model.cursor_codec import decode_values, encode_values
from imageapi.model.ids import microseconds_at

MAX_NUMBER = 2**63 - 1
FEED = {"list": "changes"}


class FeedPosition(NamedTuple):
    """The last change that was read.

    Attributes:
        sequence: 0 before the first change.
        microseconds: its time, since 1970. ``feed`` compares it, because another change can have the same
            sequence after a restore of the database.
    """

    sequence: int
    microseconds: int


def position_of(sequence: int, time: datetime) -> FeedPosition:
    return FeedPosition(sequence, microseconds_at(time))


def encode_position(position: FeedPosition, filters: dict[str, str]) -> str:
    return encode_values(list(position), filters)


def decode_position(cursor: str, filters: dict[str, str]) -> FeedPosition:
    """The position in a cursor.

    Raises:
        InvalidRequestError: ``cursor_invalid``; ``cursor_mismatch``: it belongs to another list.
    """
    numbers = decode_values(cursor, filters, int, int)
    if not all(0 <= number <= MAX_NUMBER for number in numbers):
        raise InvalidCursorError()
    return FeedPosition(*numbers)
