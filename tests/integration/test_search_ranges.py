"""Searches that ask for one range of time after another, against what they have to be."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from imageapi.search import pages

from tests.integration.searchable import AGES, DAY, HOUR, Doc, expected, id_of, insert, moment_of, walk
from tests.integration.stores import Stores


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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "WALKED_ROWS", 1)
        patch.setattr(pages, "DENSE_ROWS", most)
        patch.setattr(pages, "MAX_CANDIDATES", most)
        assert walk(query, limit) == expected(docs, query)
