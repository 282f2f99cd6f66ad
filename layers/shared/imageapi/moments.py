"""The time in an image's id, in milliseconds since 1970. Pure.

Each image is in one bucket of time of each size. ``image_time_buckets`` in init_db.sql gives them as keys of
the inverted index, which can so be asked for a stretch of time alone.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_TIME = 2**48
"""The first millisecond that no id can tell."""

SHIFTS = (16, 20, 24, 28, 32)
"""The sizes, as powers of two: 2**16 ms are a minute, 2**32 ms are 50 days."""
MOST = 17


class Stretch(NamedTuple):
    """A stretch of time, in milliseconds since 1970, that buckets of one size cover exactly."""

    start: int
    end: int
    """The first millisecond after it."""
    keys: list[int]


def milliseconds_at(moment: datetime) -> int:
    """The first moment that ids can tell at or after this one; what is before 1970 is at its beginning."""
    return max(0, math.ceil((moment - EPOCH) / timedelta(milliseconds=1)))


def milliseconds_of(image_id: UUID) -> int:
    """When an id was made (RFC 9562, 5.7)."""
    return image_id.int >> 80


def smallest_id(milliseconds: int) -> UUID:
    """The smallest UUIDv7 of a millisecond: what comes before it was made earlier."""
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62)


def cover(start: int, end: int) -> Stretch | None:
    """The buckets, of the smallest size that needs no more than MOST of them, for all of ``start`` up to, and
    without, ``end``; None when there is no such size.
    """
    for shift in SHIFTS:
        first, last = start >> shift, (end - 1) >> shift
        if last - first < MOST:
            keys = [shift << 48 | bucket for bucket in range(first, last + 1)]
            return Stretch(first << shift, (last + 1) << shift, keys)
    return None
