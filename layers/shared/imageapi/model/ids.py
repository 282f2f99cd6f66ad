"""Image ids: UUIDv7 (RFC 9562, 5.7). They begin with a timestamp, so a range of times is a range of ids."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from imageapi.errors import ImageNotFoundError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_MILLISECONDS = 2**48
"""The first time that is too late for an id, in milliseconds since 1970."""

ZERO_ID = str(UUID(int=0))
"""Smaller than every id."""
LAST_ID = str(UUID(int=2**128 - 1))
"""Greater than every id."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def new_id() -> tuple[str, datetime]:
    """A new id and its timestamp, in whole milliseconds."""
    import uuid_utils  # only a few requests create ids

    made = UUID(str(uuid_utils.uuid7()))
    return str(made), datetime.fromtimestamp(milliseconds_of(made) / 1000, UTC)


def is_id(text: str) -> bool:
    """Whether the text is an id, in lower or upper case."""
    return _ID.fullmatch(text) is not None


def parse_id(text: str) -> str:
    """The canonical form (lower case) of an id in a path.

    Raises:
        NotFoundError: the text is not an id.
    """
    if not is_id(text):
        raise ImageNotFoundError()
    return text.lower()


def milliseconds_of(image_id: UUID) -> int:
    """The timestamp of an id, in milliseconds since 1970."""
    return image_id.int >> 80


def microseconds_at(moment: datetime) -> int:
    """A time in microseconds since 1970, the precision of PostgreSQL."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def smallest_id(milliseconds: int) -> UUID:
    """The smallest id of a millisecond; all smaller ids are older."""
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62)


def largest_id(milliseconds: int) -> UUID:
    """The largest UUID of a millisecond; all larger ids are newer."""
    return UUID(int=(milliseconds + 1 << 80) - 1)
