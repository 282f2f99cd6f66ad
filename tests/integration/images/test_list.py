"""Lists of images and of the trash, also while images are added and deleted between two pages."""

import random
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imageapi.model.cursor_codec import encode_values

from tests.integration.client import get, upload
from tests.integration.images.examples import NOWHERE, PICTURE
from tests.integration.images.test_trash import list_trash
from tests.integration.lifecycle import trash_image
from tests.integration.stores import Stores


def test_last_page_has_no_cursor_even_when_it_is_full(stores: Stores) -> None:
    stores.insert_ready(4)

    first = get("/api/images", {"limit": "2"}).body
    second = get("/api/images", {"limit": "2", "cursor": first["next_cursor"]}).body

    assert (len(second["images"]), second["next_cursor"]) == (2, None)


# All rows have the same created_at: only ids differ.
SAME_TIME = "2026-04-01T00:00:00Z"
CATEGORIES = ("", "海")


def walk(limit: int, category: str | None) -> Iterator[list[str]]:
    """The ids of each page in turn. Fails instead of looping when the cursor does not advance."""
    query = {"limit": str(limit)} | ({} if category is None else {"category": category})
    cursors = [""]
    while cursors[-1] is not None:
        page = get("/api/images", query | ({"cursor": cursors[-1]} if cursors[-1] else {})).body
        assert page["next_cursor"] not in cursors
        assert len(page["images"]) <= limit
        yield [image["id"] for image in page["images"]]
        cursors.append(page["next_cursor"])


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(0, 30),
    limit=st.integers(1, 8),
    category=st.sampled_from([None, *CATEGORIES]),
    between=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12),
    seed=st.integers(0, 9),
)
def test_walk(
    stores: Stores, count: int, limit: int, category: str | None, between: list[tuple[int, int]], seed: int
) -> None:
    """``between`` lists the numbers of images that are added and deleted after each page."""
    stores.clear()
    choose = random.Random(seed)
    in_category = {
        name: stores.insert_ready(count, category=name, created_at=SAME_TIME) for name in CATEGORIES
    }
    alive = [image_id for ids in in_category.values() for image_id in ids]
    expected = set(alive if category is None else in_category[category])
    gone: set[str] = set()
    seen: list[str] = []

    coming_and_going = iter(between)
    for page in walk(limit, category):
        seen += page
        come, go = next(coming_and_going, (0, 0))
        if come:
            stores.insert_ready(come, category=choose.choice(CATEGORIES), created_at=SAME_TIME)
        for _ in range(min(go, len(alive))):
            gone.add(alive.pop(choose.randrange(len(alive))))
        if go:
            stores.execute("DELETE FROM image_metadata WHERE id = ANY(%s::uuid[])", (list(gone),))

    assert len(seen) == len(set(seen))
    assert seen == sorted(seen, reverse=True)
    assert expected - gone <= set(seen) <= expected


def test_pages_of_the_trash_are_complete_and_newest_trashed_first(stores: Stores) -> None:
    ids = [upload(PICTURE).image["id"] for _ in range(5)]
    order = [ids[place] for place in (3, 0, 4, 1, 2)]
    for image_id in order:
        trash_image(image_id)
    stores.execute(  # two at the same moment
        """UPDATE trashed_images SET trashed_at = (SELECT trashed_at FROM trashed_images WHERE id = %s)
           WHERE id = %s""",
        (ids[0], ids[3]),
    )

    found, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        answer = list_trash(limit="2", **({"cursor": cursor} if cursor else {}))
        found += [image["id"] for image in answer.body["images"]]
        cursor, pages = answer.body["next_cursor"], pages + 1
        assert ("link" in answer.headers) == bool(cursor)

    assert found == [ids[2], ids[1], ids[4], ids[3], ids[0]]
    assert pages == 3
    assert list_trash(limit="5").body["next_cursor"] is None


def test_forged_cursors_of_the_trash(stores: Stores) -> None:
    times = [10**30, -(10**30), "x", None, True]
    for values in (*((time, NOWHERE) for time in times), (0, "x"), (0, 1), (0,)):
        forged = encode_values(list(values), {"list": "trash"})
        assert list_trash(cursor=forged).error == (400, "cursor_invalid"), values
