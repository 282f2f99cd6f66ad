"""Ids of images: UUIDv7 (RFC 9562, 5.7). They begin with the time, so a range of time is a range of ids."""

import math
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from imageapi.errors import ImageNotFoundError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_MILLISECONDS = 2**48
"""The first time, in milliseconds since 1970, that no id can have."""

ZERO_ID = str(UUID(int=0))
"""Smaller than every id."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def new_id() -> tuple[str, datetime]:
    """A new id, and the time in it, to the millisecond."""
    import uuid_utils  # only uploads make ids

    made = UUID(str(uuid_utils.uuid7()))
    return str(made), datetime.fromtimestamp(milliseconds_of(made) / 1000, UTC)


def is_id(text: str) -> bool:
    """Whether this is how an id is written, in small or capital letters."""
    return _ID.fullmatch(text) is not None


def parse_id(text: str) -> str:
    """An id out of a path, in its one canonical spelling.

    Raises:
        NotFoundError: no image has such an id.
    """
    if not is_id(text):
        raise ImageNotFoundError()
    return text.lower()


def milliseconds_of(image_id: UUID) -> int:
    """When an id was made, in milliseconds since 1970."""
    return image_id.int >> 80


def milliseconds_at(moment: datetime) -> int:
    """A time in milliseconds since 1970, rounded up; 0 for times before 1970."""
    return max(0, math.ceil((moment - EPOCH) / timedelta(milliseconds=1)))


def smallest_id(milliseconds: int) -> UUID:
    """The smallest id of a millisecond: every smaller id was made earlier."""
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62)


def largest_id(milliseconds: int) -> UUID:
    """The largest UUID of a millisecond: every larger id was made later."""
    return UUID(int=(milliseconds + 1 << 80) - 1)
