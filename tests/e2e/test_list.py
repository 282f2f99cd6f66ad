"""GET /api/images over HTTP."""

import uuid

import pytest

from tests.e2e.client import Api
from tests.support import pictures


@pytest.fixture(scope="module")
def category(api: Api) -> str:
    """A category with five images."""
    name = f"list & 一覧 {uuid.uuid4()}"
    for n in range(5):
        assert api.upload(pictures.jpeg(), {"category": name, "title": str(n)}).status == 201
    return name


def test_page(api: Api) -> None:
    answer = api.get("/api/images")

    assert answer.status == 200
    assert set(answer.body) == {"images", "next_cursor"}
    ids = [image["id"] for image in answer.body["images"]]
    assert len(ids) <= 50
    assert ids == sorted(ids, reverse=True)


def test_walk(api: Api, category: str) -> None:
    query = {"category": category, "limit": "2"}

    for titles in (["4", "3"], ["2", "1"], ["0"]):
        page = api.get("/api/images", query).body
        assert [image["title"] for image in page["images"]] == titles
        query["cursor"] = page["next_cursor"]

    assert query["cursor"] is None


@pytest.mark.parametrize("limit", ["0", "-1", "1000000000", "abc", ""])
def test_limit_that_is_none(api: Api, limit: str) -> None:
    answer = api.get("/api/images", {"limit": limit})

    assert (answer.status, answer.code) == (400, "limit_invalid")


@pytest.mark.parametrize("cursor", ["abc", "../../etc/passwd", "カーソル", "A" * 200])
def test_cursor_that_is_none(api: Api, cursor: str) -> None:
    answer = api.get("/api/images", {"cursor": cursor})

    assert (answer.status, answer.code) == (400, "cursor_invalid")


def test_cursor_of_another_list(api: Api, category: str) -> None:
    cursor = api.get("/api/images", {"category": category, "limit": "1"}).body["next_cursor"]

    answer = api.get("/api/images", {"cursor": cursor})

    assert (answer.status, answer.code) == (400, "cursor_mismatch")


@pytest.mark.parametrize(("key", "code"), [(None, "api_key_missing"), ("wrong", "api_key_invalid")])
def test_without_the_key(api: Api, key: str | None, code: str) -> None:
    answer = api.get("/api/images", key=key)

    assert (answer.status, answer.code) == (401, code)
