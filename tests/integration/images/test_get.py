"""GET of one image, and of none."""

import re
from typing import Any

import pytest
from imageapi.database import db

from tests.integration.client import get
from tests.integration.images.examples import shown
from tests.integration.lifecycle import (
    delete_for_good,
    get_image,
    patch_image,
)
from tests.integration.stores import Stores


def test_get_shows_what_upload_and_list_show(image: dict[str, Any]) -> None:
    answer = get_image(image["id"])

    assert answer.status == 200
    assert shown(answer.image) == shown(image) == shown(get("/api/images").body["images"][0])
    assert set(answer.image["urls"]) == {"original", "thumbnail", "preview"}
    assert re.fullmatch(r'"[^"]+"', answer.headers["etag"][0])
    assert answer.headers["cache-control"] == ["private, no-cache"]


def test_get_in_capitals_is_the_same_image(image: dict[str, Any]) -> None:
    assert get_image(image["id"].upper()).image["id"] == image["id"]


@pytest.mark.parametrize("status", ["pending", "deleting", "failed"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_what_is_not_ready_is_not_there(stores: Stores, status: str, method: str) -> None:
    image_id = stores.insert_unready(status)

    answer = get_image(image_id) if method == "GET" else patch_image(image_id, {"title": "x"})

    assert (answer.status, answer.code) == (404, "image_not_found")


@pytest.mark.parametrize(
    "image_id", ["nonsense", "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e", "%00", "1", "a" * 36]
)
def test_what_is_not_there(stores: Stores, image_id: str) -> None:
    for answer in (get_image(image_id), patch_image(image_id, {"title": "x"}), delete_for_good(image_id)):
        assert (answer.status, answer.code) == (404, "image_not_found")


def test_an_id_that_never_was_costs_no_store(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "query", lambda *_: pytest.fail("the database was asked"))

    assert get_image("nonsense").status == 404
