"""The time in an image's id, in milliseconds since 1970. Pure.

Each image is in one bucket of time of each size. They are keys of the inverted index (see ``keys``), so that
one range of time can be searched alone.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_TIME = 2**48
"""The first millisecond that is too late for an id (milliseconds have 48 bits there)."""

SHIFTS = (16, 20, 24, 28, 32, 36, 40, 44)
"""The sizes, as powers of two: 2**16 ms are a minute, 2**32 ms are 50 days, 2**44 ms are 557 years."""
MAX_BUCKETS = 17
"""How many buckets one range may have."""


class TimeRange(NamedTuple):
    """A range of time, in milliseconds since 1970, that buckets of one size cover exactly."""

    start: int
    end: int
    """The first millisecond after it."""
    keys: list[int]


def milliseconds_at(moment: datetime) -> int:
    """A time in milliseconds since 1970, rounded up; 0 for times before 1970."""
    return max(0, math.ceil((moment - EPOCH) / timedelta(milliseconds=1)))


def milliseconds_of(image_id: UUID) -> int:
    """When an id (UUIDv7, RFC 9562, 5.7) was made, in milliseconds since 1970."""
    return image_id.int >> 80


def smallest_id(milliseconds: int) -> UUID:
    """The smallest UUIDv7 of a millisecond: every smaller id was made earlier."""
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62)


def cover(start: int, end: int) -> TimeRange:
    """The buckets from ``start`` (inclusive) to ``end`` (exclusive), of the smallest size that needs at most
    MAX_BUCKETS of them: each costs the index a little. ``keys.time_keys`` is exact, and has more.
    """
    shift = next(s for s in SHIFTS if (end - 1 >> s) - (start >> s) < MAX_BUCKETS)
    first, last = start >> shift, end - 1 >> shift
    keys = [shift << 48 | bucket for bucket in range(first, last + 1)]
    return TimeRange(first << shift, (last + 1) << shift, keys)
