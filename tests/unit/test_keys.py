"""Keys of the inverted index, and what they cover. PostgreSQL makes the same: integration/test_schema.py."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi import keys
from imageapi.moments import SHIFTS
from imageapi.spans import separate


def ranges(cover: list[int]) -> list[tuple[int, int]]:
    """What buckets of sizes or times hold, in order, from the first (inclusive) to the last (exclusive)."""
    found = [(key >> 48 & 0xFF, key & (1 << 48) - 1) for key in cover]
    return sorted((number << shift, (number + 1) << shift) for shift, number in found)


@pytest.mark.parametrize(("make", "shifts"), [(keys.size_keys, keys.SIZE_SHIFTS), (keys.time_keys, SHIFTS)])
@given(data=st.data())
def test_a_range_is_covered_closely(
    make: Callable[[int, int], list[int]], shifts: tuple[int, ...], data: st.DataObject
) -> None:
    largest = 1 << shifts[-1] + 4
    start = data.draw(st.integers(0, largest - 1))
    end = data.draw(st.integers(start + 1, largest))
    found = ranges(make(start, end))
    smallest = 1 << shifts[0]
    assert found[0][0] == start // smallest * smallest
    assert found[-1][1] == -(-end // smallest) * smallest
    assert all(before[1] == after[0] for before, after in itertools.pairwise(found))
    # Up to 15 of each width on each side, since the next width is 16 of them.
    assert len(found) <= 30 * len(shifts)


def test_kinds_of_keys_are_apart() -> None:
    found = [
        *keys.size_keys(0, 1 << 30),
        *keys.time_keys(0, 1 << 30),
        *(keys.sample_key(shift) for shift in keys.SAMPLE_SHIFTS),
        *keys.title_keys(["", "a", "ab"]),
    ]
    assert len(set(found)) == len(found)
    assert all(0 <= key < 2**63 for key in found)


def test_a_title_that_is_whole_is_no_beginning_of_another() -> None:
    assert keys.title_beginning("ab", 2) == keys.title_beginning("abc", 2)
    assert keys.title_beginning("ab", 4) != keys.title_beginning("ab c", 4)
    assert keys.title_beginning("ab", 4) == keys.title_beginning("ab", 16)
    assert keys.title_beginning("", 1) == keys.TITLE_END


titles = st.text("ab 1東", max_size=20)


@pytest.mark.parametrize(
    ("before", "after", "border"),
    [
        ("apple", "banana", "b"),
        ("beach 1", "beach 2", "beach 2"),
        ("beach at night", "beach by day", "beach by"),
        ("beach", "beach 2", "beach 2"),
        ("one very long title 1", "one very long title 2", "one very long title 2"),
        ("", "a", "a"),
        ("zebra", "東京", "東"),
    ],
)
def test_the_shortest_border(before: str, after: str, border: str) -> None:
    assert separate(before, after) == border


@given(titles, titles)
def test_a_border_is_between(one: str, other: str) -> None:
    before, after = sorted((one, other))
    if before != after:
        assert before < separate(before, after) <= after
