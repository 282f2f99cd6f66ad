"""GET /api/images on real rows."""

import pytest

from tests.integration.client import get, upload
from tests.integration.stores import Stores
from tests.support import pictures


def listed(**query: str) -> list[str]:
    answer = get("/api/images", query)
    assert answer.status == 200
    return [image["id"] for image in answer.body["images"]]


def test_empty(stores: Stores) -> None:
    assert get("/api/images").body == {"images": [], "next_cursor": None}


def test_newest_first(stores: Stores) -> None:
    ids = stores.insert_ready(5)

    assert listed() == ids[::-1]


@pytest.mark.parametrize("status", ["pending", "deleting", "failed"])
def test_only_ready_images_are_shown(stores: Stores, status: str) -> None:
    ready = stores.insert_ready()
    stores.insert_unready(status)

    assert listed() == ready
    assert get("/api/database/status").body["image_count"] == 1


@pytest.mark.parametrize(("limit", "count"), [(None, 50), ("1", 1), ("7", 7), ("200", 200)])
def test_limit(stores: Stores, limit: str | None, count: int) -> None:
    ids = stores.insert_ready(201)

    assert listed(**({"limit": limit} if limit else {})) == ids[: -count - 1 : -1]


@pytest.mark.parametrize("limit", ["0", "-1", "1000000000", "201", "abc", "", "1.5", "1e2", " 5", "５"])
def test_limit_that_is_none(stores: Stores, limit: str) -> None:
    answer = get("/api/images", {"limit": limit})

    assert (answer.status, answer.code) == (400, "limit_invalid")


def test_category_is_exact(stores: Stores) -> None:
    sea, mountain = stores.insert_ready(category="海"), stores.insert_ready(category="山")
    plain = stores.insert_ready()

    assert listed(category="海") == sea
    assert listed(category="山") == mountain
    assert listed(category="") == plain
    assert listed(category="海%") == listed(category="none") == listed(category="' OR true --") == []
    assert listed() == plain + mountain + sea


@pytest.mark.parametrize("category", ["a\0b", "\ud800"])
def test_category_that_no_image_can_have(stores: Stores, category: str) -> None:
    answer = get("/api/images", {"category": category})

    assert (answer.status, answer.code) == (400, "parameter_invalid")


def test_cursor_only_fits_its_own_filters(stores: Stores) -> None:
    stores.insert_ready(3, category="海")
    cursor = get("/api/images", {"limit": "1", "category": "海"}).body["next_cursor"]

    for query in ({}, {"category": "山"}, {"category": ""}):
        answer = get("/api/images", {"cursor": cursor, **query})
        assert (answer.status, answer.code) == (400, "cursor_mismatch")
    assert len(listed(cursor=cursor, category="海", limit="2")) == 2


@pytest.mark.parametrize("cursor", ["abc", "0", "AAAA", "é", "x" * 900, "../..", "' OR 1=1"])
def test_cursor_that_is_none(stores: Stores, cursor: str) -> None:
    answer = get("/api/images", {"cursor": cursor})

    assert (answer.status, answer.code) == (400, "cursor_invalid")


def test_changed_cursor(stores: Stores) -> None:
    stores.insert_ready(2)
    cursor = get("/api/images", {"limit": "1"}).body["next_cursor"]

    for changed in (cursor[:-1], cursor + "A", cursor + "=", cursor[1:], cursor.swapcase()):
        answer = get("/api/images", {"cursor": changed})
        assert answer.status == 400
        assert answer.code in ("cursor_invalid", "cursor_mismatch")


def test_cursor_of_an_image_that_is_gone(stores: Stores) -> None:
    ids = stores.insert_ready(4)
    cursor = get("/api/images", {"limit": "2"}).body["next_cursor"]

    stores.execute("DELETE FROM image_metadata WHERE id = %s", (ids[2],))

    assert listed(cursor=cursor) == [ids[1], ids[0]]


def test_last_page_has_no_cursor_even_when_it_is_full(stores: Stores) -> None:
    stores.insert_ready(4)

    first = get("/api/images", {"limit": "2"}).body
    second = get("/api/images", {"limit": "2", "cursor": first["next_cursor"]}).body

    assert len(second["images"]) == 2
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"page": "2"}, "parameter_unknown"),
        ([("limit", "1"), ("limit", "2")], "parameter_repeated"),
    ],
)
def test_query_that_is_not_understood(
    stores: Stores, query: dict[str, str] | list[tuple[str, str]], code: str
) -> None:
    answer = get("/api/images", query)

    assert (answer.status, answer.code) == (400, code)


def test_a_category_is_compared_as_it_is_kept(stores: Stores) -> None:
    image = upload(pictures.jpeg(), {"category": "カ\u3099ーテ\u3099ン"}).image

    for spelling in ("カ\u3099ーテ\u3099ン", "ガーデン", " ガーデン "):
        assert listed(category=spelling) == listed(category=spelling, sort="size") == [image["id"]]
