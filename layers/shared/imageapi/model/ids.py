"""Image ids: UUIDv7 (RFC 9562, 5.7). They begin with a timestamp, so a time range is an id range."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from imageapi.errors import ImageNotFoundError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_MILLISECONDS = 2**48
"""The first time too late for an id, in milliseconds since 1970."""

ZERO_ID = str(UUID(int=0))
"""Smaller than every id."""
LAST_ID = str(UUID(int=2**128 - 1))
"""Greater than every id."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def new_id() -> tuple[str, datetime]:
    """A new id and its timestamp, to the millisecond."""
    import uuid_utils  # only uploads make ids

    made = UUID(str(uuid_utils.uuid7()))
    return str(made), datetime.fromtimestamp(milliseconds_of(made) / 1000, UTC)


def is_id(text: str) -> bool:
    """Whether the text is an id, in lower or upper case."""
    return _ID.fullmatch(text) is not None


def parse_id(text: str) -> str:
    """The id in a path, in its canonical form (lower case).

    Raises:
        NotFoundError: the text is not an id.
    """
    if not is_id(text):
        raise ImageNotFoundError()
    return text.lower()


def milliseconds_of(image_id: UUID) -> int:
    """When an id was made, in milliseconds since 1970."""
    return image_id.int >> 80


def microseconds_at(moment: datetime) -> int:
    """A time in microseconds since 1970, which is as exact as PostgreSQL's."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def smallest_id(milliseconds: int) -> UUID:
    """The smallest id of a millisecond: every smaller id was made earlier."""
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62)


def largest_id(milliseconds: int) -> UUID:
    """The largest UUID of a millisecond: every larger id was made later."""
    return UUID(int=(milliseconds + 1 << 80) - 1)
