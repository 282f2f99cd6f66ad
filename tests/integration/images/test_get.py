"""GET of one image, of none, and of one that has not changed."""

import re
from typing import Any

import pytest
from imageapi.database import db

from tests.integration.client import get, upload
from tests.integration.images.examples import PICTURE, etag_of, shown
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


def test_get_is_not_answered_again_while_nothing_has_changed(image: dict[str, Any]) -> None:
    etag = etag_of(image["id"])

    for header in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = get_image(image["id"], If_None_Match=header)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, None, [etag])

    patch_image(image["id"], {"title": "new"})

    answer = get_image(image["id"], If_None_Match=etag)
    assert (answer.status, answer.image["title"]) == (200, "new")


def test_not_modified_is_kept_as_the_image_is(image: dict[str, Any]) -> None:
    answer = get_image(image["id"], If_None_Match="*")
    assert (answer.status, answer.headers["cache-control"]) == (304, ["private, no-cache"])


def test_a_copy_is_another_when_its_original_is_gone(image: dict[str, Any]) -> None:
    copy = upload(PICTURE).image
    etag = etag_of(copy["id"])
    assert get_image(copy["id"]).image["duplicate_of"] == image["id"]
    delete_for_good(image["id"])

    answer = get_image(copy["id"], If_None_Match=etag)

    assert (answer.status, answer.image["duplicate_of"]) == (200, None)
    assert patch_image(copy["id"], {"title": "y"}, If_Match=etag).status == 200
