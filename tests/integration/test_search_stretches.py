"""Lists that the inverted index finds in one stretch after another, against what they have to be."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from imageapi import pages, spans, stretches

from tests.integration.searchable import AGES, DAY, HOUR, Doc, expected, id_of, insert, moment_of, walk
from tests.integration.stores import Stores

TITLES = [
    *("", "a", "ab", "ab c", "abcdefgh", "abcdefghi", "b", "é", "東京", "東京の夜景", "東京の夜空"),
    *(f"one long beginning {end}" for end in ("", "1", "1a", "2", "東")),
]
SIZES = [1, 255, 256, 257, 4_095, 4_096, 70_000, 70_001, 2**24, 2**25 + 1, 2**33]


@contextmanager
def small_steps(most: int, rows: int, in_vain: int = 512) -> Iterator[None]:
    """Every search is for the inverted index, and samples are taken of next to nothing.

    Args:
        most: what a statement may look at.
        rows: how many there seem to be.
        in_vain: so many matches before a stretch may be looked at with it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "SAMPLE_ROWS", 1)
        patch.setattr(pages, "WORTH_WALKING", 1)
        patch.setattr(pages, "MAX_WALKED_ROWS", most)
        patch.setattr(stretches, "MAX_NARROWED_ROWS", most)
        patch.setattr(spans, "MAX_BEGINNINGS", 2)
        patch.setattr(stretches, "IN_VAIN", in_vain)
        patch.setattr(stretches, "AT_ONCE", 1)
        patch.setattr(stretches, "SAMPLE_SIZE", 1)
        patch.setattr(stretches, "FEW", 1)
        patch.setattr(stretches, "estimate_rows", lambda: rows)
        patch.setattr(stretches, "estimate_share", lambda tokens: 1.0)
        yield


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ages=st.lists(st.tuples(st.sampled_from(AGES), st.booleans()), min_size=5, max_size=14),
    query=st.fixed_dictionaries(
        {"sort": st.sampled_from(["newest", "oldest"])},
        optional={name: st.sampled_from(AGES).map(moment_of) for name in ("created_after", "created_before")},
    ),
    limit=st.integers(1, 5),
    most=st.sampled_from([2, 3, 20_000]),
)
@example(
    # From just before the border of two stretches to just behind it.
    ages=[(65_536, False), (40_000, True), (0, True)],
    query={"sort": "oldest"},
    limit=5,
    most=20_000,
)
@example(
    # The second stretch is not the end of what is asked for.
    ages=[(0, False), (1, True), (HOUR, True), (5 * HOUR, True), (DAY, True)],
    query={"sort": "newest", "created_after": moment_of(4 * DAY)},
    limit=5,
    most=20_000,
)
def test_searches_through_time(
    stores: Stores, ages: list[tuple[int, bool]], query: dict[str, str], limit: int, most: int
) -> None:
    stores.clear()
    docs = [Doc(id=id_of(age, rest), tags=["a"] if hit else []) for rest, (age, hit) in enumerate(ages)]
    insert(stores, docs)
    query = {**query, "tag": "a"}
    with small_steps(most, rows=10**12):
        assert walk(query, limit) == expected(docs, query)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    images=st.lists(
        st.tuples(
            st.sampled_from(TITLES),
            st.sampled_from(SIZES),
            st.sampled_from(AGES),
            # The end of the id: in each sample, in one, in none.
            st.sampled_from([0, 8, 1]),
            st.booleans(),
        ),
        min_size=4,
        max_size=24,
    ),
    query=st.fixed_dictionaries(
        {"sort": st.sampled_from(["newest", "oldest", "title", "size"])},
        optional={
            "category": st.just("c"),
            "created_after": st.sampled_from(AGES).map(moment_of),
            "created_before": st.sampled_from(AGES).map(moment_of),
        },
    ),
    limit=st.integers(1, 5),
    most=st.sampled_from([2, 3, 20_000]),
    rows=st.sampled_from([2, 30, 10**6]),
    in_vain=st.sampled_from([0, 8, 512]),
)
def test_searches_by_samples(
    stores: Stores,
    images: list[tuple[str, int, int, int, bool]],
    query: dict[str, str],
    limit: int,
    most: int,
    rows: int,
    in_vain: int,
) -> None:
    stores.clear()
    docs = [
        Doc(
            id=id_of(age, number << 16 | end),
            title=title,
            size_bytes=size,
            tags=["a"] if hit else [],
            category="c" if number % 3 else "d",
        )
        for number, (title, size, age, end, hit) in enumerate(images)
    ]
    insert(stores, docs)
    query = {**query, "tag": "a"}
    with small_steps(most, rows, in_vain):
        assert walk(query, limit) == expected(docs, query)
