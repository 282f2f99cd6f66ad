"""Time in ids, and the buckets that cover a stretch of it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.moments import (
    END_OF_TIME,
    MAX_BUCKETS,
    SHIFTS,
    cover,
    milliseconds_at,
    milliseconds_of,
    smallest_id,
)

MINUTE, DAY = 60_000, 86_400_000
moments = st.integers(0, END_OF_TIME - 1)


def test_the_id_of_a_moment() -> None:
    moment = datetime(2026, 11, 24, 9, 30, 0, 5_000, tzinfo=UTC)
    milliseconds = milliseconds_at(moment)
    assert milliseconds == int(moment.timestamp() * 1000)
    assert smallest_id(milliseconds) == UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62)
    assert milliseconds_at(datetime(1960, 1, 1, tzinfo=UTC)) == 0


def test_a_moment_between_two_that_ids_can_tell_is_the_later() -> None:
    """What was made in a millisecond is before any later moment in it, and not after it."""
    start = datetime(2026, 4, 1, 12, tzinfo=UTC)
    for microseconds, expected in ((0, 0), (1, 1), (999, 1), (1_000, 1)):
        found = milliseconds_at(start + timedelta(microseconds=microseconds))
        assert found - milliseconds_at(start) == expected


@given(moments)
def test_an_id_tells_its_moment(milliseconds: int) -> None:
    assert milliseconds_of(smallest_id(milliseconds)) == milliseconds
    assert smallest_id(milliseconds).version == 7


@given(moments, st.integers(1, END_OF_TIME) | st.integers(1, 10 * 365 * DAY))
def test_a_stretch_is_covered(start: int, length: int) -> None:
    """By neighbouring buckets of one size, few of them, and without a longer one than has to be."""
    length = min(length, END_OF_TIME - start)
    stretch = cover(start, start + length)
    (shift,) = {key >> 48 for key in stretch.keys}
    numbers = [key - (shift << 48) for key in stretch.keys]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert (stretch.start, stretch.end) == (numbers[0] << shift, (numbers[-1] + 1) << shift)
    assert stretch.start <= start < start + length <= stretch.end
    assert len(numbers) <= MAX_BUCKETS
    assert shift == SHIFTS[0] or length > (MAX_BUCKETS - 2) << (shift - 4)


@pytest.mark.parametrize(
    ("length", "shift"),
    [
        *((1, 16), (15 * MINUTE, 16), (20 * MINUTE, 20), (DAY, 24), (20 * DAY, 28), (700 * DAY, 32)),
        *((30 * 365 * DAY, 36), (END_OF_TIME, 44)),
    ],
)
def test_the_size_of_buckets(length: int, shift: int) -> None:
    assert cover(0, length).keys[0] == shift << 48
