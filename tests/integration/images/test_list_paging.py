"""Paging while images are added and deleted: none is seen twice, and none that stays is missed."""

import random
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.client import get
from tests.integration.stores import Stores

# All rows have the same created_at: only ids differ.
SAME_TIME = "2026-04-01T00:00:00Z"
CATEGORIES = ("", "海")

changes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12)
"""Between two pages: numbers of images added and deleted."""


def walk(limit: int, category: str | None) -> Iterator[list[str]]:
    """The ids of each page in turn. Fails instead of looping when the cursor does not advance."""
    query = {"limit": str(limit)} | ({} if category is None else {"category": category})
    cursor: dict[str, Any] = {}
    while cursor.get("cursor", "") is not None:
        page = get("/api/images", query | cursor).body
        assert page["next_cursor"] != cursor.get("cursor", "")
        assert len(page["images"]) <= limit
        yield [image["id"] for image in page["images"]]
        cursor = {"cursor": page["next_cursor"]}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(0, 30),
    limit=st.integers(1, 8),
    category=st.sampled_from([None, *CATEGORIES]),
    between=changes,
    seed=st.integers(0, 9),
)
def test_walk(
    stores: Stores, count: int, limit: int, category: str | None, between: list[tuple[int, int]], seed: int
) -> None:
    stores.clear()
    choose = random.Random(seed)
    in_category = {
        name: stores.insert_ready(count, category=name, created_at=SAME_TIME) for name in CATEGORIES
    }
    alive = [image_id for ids in in_category.values() for image_id in ids]
    expected = set(alive if category is None else in_category[category])
    gone: set[str] = set()
    pages: list[list[str]] = []

    coming_and_going = iter(between)
    for page in walk(limit, category):
        assert len(pages) <= count * len(CATEGORIES)
        pages.append(page)
        come, go = next(coming_and_going, (0, 0))
        if come:
            stores.insert_ready(come, category=choose.choice(CATEGORIES), created_at=SAME_TIME)
        for _ in range(min(go, len(alive))):
            gone.add(alive.pop(choose.randrange(len(alive))))
        if go:
            stores.execute("DELETE FROM image_metadata WHERE id = ANY(%s::uuid[])", (list(gone),))

    seen = [image_id for page in pages for image_id in page]
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen, reverse=True)
    assert expected - gone <= set(seen) <= expected


def test_walk_over_many_rows_of_the_same_moment(stores: Stores) -> None:
    ids = stores.insert_ready(1_000, created_at=SAME_TIME)

    pages = list(walk(33, None))

    assert [image_id for page in pages for image_id in page] == ids[::-1]
    assert [len(page) for page in pages] == [33] * 30 + [10]
