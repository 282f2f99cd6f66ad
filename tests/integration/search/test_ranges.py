"""The bounds of a search: consecutive time ranges, and a sample. Compared with the expected results."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from imageapi.search import counts, find_page, sort_matches, time_search
from imageapi.search.tokens import SAMPLED_OF

from tests.integration.client import get
from tests.integration.lifecycle import watch_statements
from tests.integration.searchable import AGES, DAY, HOUR, Doc, expected, id_of, insert, moment_of, total, walk
from tests.integration.stores import Stores


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ages=st.lists(st.tuples(st.sampled_from(AGES), st.booleans()), min_size=5, max_size=14),
    query=st.fixed_dictionaries(
        {"sort": st.sampled_from(["-created_at", "created_at"])},
        optional={name: st.sampled_from(AGES).map(moment_of) for name in ("created_at.gte", "created_at.lt")},
    ),
    limit=st.integers(1, 5),
    most=st.sampled_from([2, 3, 20_000]),
)
@example(
    # From just before the boundary of two ranges to just after it.
    ages=[(65_536, False), (40_000, True), (0, True)],
    query={"sort": "created_at"},
    limit=5,
    most=20_000,
)
@example(
    # The second range does not reach the end of the query.
    ages=[(0, False), (1, True), (HOUR, True), (5 * HOUR, True), (DAY, True)],
    query={"sort": "-created_at", "created_at.gte": moment_of(4 * DAY)},
    limit=5,
    most=20_000,
)
def test_searches_through_time(
    stores: Stores, ages: list[tuple[int, bool]], query: dict[str, str], limit: int, most: int
) -> None:
    stores.clear()
    docs = [Doc(id=id_of(age, rest), tags=["a"] if hit else []) for rest, (age, hit) in enumerate(ages)]
    insert(stores, docs)
    query = {**query, "tags": "a"}
    with patch.multiple(time_search, SCANNED_ROWS=1, DENSE_ROWS=most, MAX_CANDIDATES=most):
        assert walk(query, limit) == expected(docs, query)


def first_page(query: dict[str, str], limit: int) -> list[str]:
    return [image["id"] for image in get("/api/images", {**query, "limit": str(limit)}).body["images"]]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    """Set the limits to a hundredth; returns the list of all statements from then on."""
    with patch.multiple(time_search, SCANNED_ROWS=5, DENSE_ROWS=200, MAX_CANDIDATES=50):
        yield watch_statements(monkeypatch)


@pytest.mark.parametrize("sort", ["-created_at", "created_at"])
@pytest.mark.parametrize("gap", [30, 60, 120, 300])
def test_matches_behind_a_long_gap_are_on_the_first_page(
    stores: Stores, small: list[tuple[str, Any]], sort: str, gap: int
) -> None:
    """The first range that reaches them contains more matches than a range may have."""
    sign = 1 if sort == "-created_at" else -1
    others = [Doc(id=id_of(sign * day * DAY, 1)) for day in range(0, 400, 2)]
    hits = [Doc(id=id_of(sign * (gap * DAY + n * 3 * HOUR), 2), tags=["a"]) for n in range(60)]
    insert(stores, [*others, *hits])

    assert first_page({"tags": "a", "sort": sort}, 5) == [doc.id for doc in hits[:5]]
    assert len(small) <= find_page.MAX_STATEMENTS


def test_the_whole_rest_is_asked_for_once(stores: Stores, small: list[tuple[str, Any]]) -> None:
    """If there are too many matches, shorter ranges follow."""
    old = [Doc(id=id_of(-n * 5 * HOUR, 1)) for n in range(12)]
    hits = [Doc(id=id_of(-12 * 5 * HOUR - n * 60_000, 2), tags=["a"]) for n in range(200)]
    insert(stores, [*old, *hits])

    assert first_page({"tags": "a", "sort": "created_at"}, 50)[:5] == [doc.id for doc in hits[:5]]
    assert len({sql for sql, _ in small}) > 1


@pytest.mark.usefixtures("small")
def test_many_matches_within_a_minute_are_read_one_after_another(stores: Stores) -> None:
    """They cross the boundary of two buckets, where ranges cannot get shorter."""
    others = [Doc(id=id_of(n, 1)) for n in range(5)]
    hits = [Doc(id=id_of(1_000 + n * 500, 2), tags=["a"]) for n in range(120)]
    insert(stores, [*others, *hits])

    assert first_page({"tags": "a"}, 50) == [doc.id for doc in hits[:50]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        *(({"created_at.gte": moment_of(HOUR)}, 2), ({"created_at.lt": moment_of(400 * DAY)}, 2)),
        ({"created_at.gte": moment_of(HOUR), "mime_type": "image/jpeg"}, 2),
        ({"created_at.gte": moment_of(HOUR), "category": ""}, 2),
        *(({"created_at.gte": moment_of(-DAY)}, 0), ({"created_at.lt": moment_of(500 * DAY)}, 0)),
        ({"created_at.gte": moment_of(HOUR), "created_at.lt": moment_of(2 * HOUR)}, 0),
        ({"created_at.lt": "1969-01-01"}, 0),
        ({"created_at.gte": "1970-01-01", "created_at.lt": moment_of(400 * DAY)}, 2),
        ({"created_at.gte": moment_of(HOUR), "created_at.lt": "2199-01-01"}, 2),
    ],
)
@pytest.mark.parametrize("sort", ["title", "-size_bytes"])
@patch.object(sort_matches, "MAX_SORTED", 3)
@patch.object(counts, "MAX_COUNTED", 3)
def test_a_bound_bounds_what_is_sorted_and_counted(
    stores: Stores, query: dict[str, str], found: int, sort: str
) -> None:
    insert(stores, [Doc(id=id_of(age, n)) for n, age in enumerate([0, 1, 450 * DAY, 451 * DAY], 1)])
    insert(stores, [Doc(id=id_of(200 * DAY, n)) for n in range(1, 41)])

    answer = get("/api/images", {**query, "sort": sort, "total": "true"})

    assert len(answer.body["images"]) == found
    assert answer.body["total"] == {"value": found, "relation": "exact"}


def test_only_what_matches_is_too_much_to_sort(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index finds a width.gte of 200 by the token for 128, which matches more images."""
    monkeypatch.setattr(sort_matches, "MAX_SORTED", 5)
    monkeypatch.setattr(counts, "MAX_COUNTED", 5)
    # None of these ids is in the sample, because each match there counts as 256.
    insert(stores, [Doc(id=id_of(DAY, n), width=150 if n <= 10 else 250) for n in range(1, 14)])

    answer = get("/api/images", {"width.gte": "200", "sort": "-size_bytes", "total": "true"})

    assert len(answer.body["images"]) == 3
    assert answer.body["total"] == {"value": 3, "relation": "exact"}


def sampled(*tags: str, number: int) -> Doc:
    """An image in the sample."""
    return Doc(id=id_of(DAY, number << 8), tags=tags)


def test_a_sample_tells_that_too_many_match(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """If two common tags rarely occur together, their images are counted and sorted."""
    insert(stores, [sampled("a", number=number) for number in range(9)])
    insert(stores, [sampled("b", number=number) for number in range(10, 19)])
    insert(stores, [Doc(tags=["a", "b"])])
    monkeypatch.setattr(counts, "MAX_COUNTED", 4 * SAMPLED_OF)
    monkeypatch.setattr(sort_matches, "MAX_SORTED", 4 * SAMPLED_OF)

    # Nine matches in the sample imply more than two thousand.
    assert total(("tags", "a"), ("width.gte", "1")) == {"value": 1024, "relation": "at_least"}
    assert get("/api/images", {"tags": "a", "sort": "-size_bytes"}).code == "too_many_to_sort"
    assert total(("tags", "a"), ("tags", "b")) == {"value": 1, "relation": "exact"}
    assert len(walk({"tags": ["a", "b"], "sort": "-size_bytes"})) == 1
