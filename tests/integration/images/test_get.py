"""GET of one image, of none, and of one that has not changed."""

import re
from typing import Any

import pytest

from tests.integration.client import get, upload
from tests.integration.images.examples import PICTURE, etag_of, shown
from tests.integration.lifecycle import delete_for_good, get_image, patch_image, restore_image, trash_image
from tests.integration.stores import Stores


def test_get_shows_what_upload_and_list_show(image: dict[str, Any]) -> None:
    answer = get_image(image["id"].upper())

    assert answer.status == 200
    assert shown(answer.image) == shown(image) == shown(get("/api/images").body["images"][0])
    assert set(answer.image["urls"]) == {"original", "thumbnail", "preview"}
    assert re.fullmatch(r'"[^"]+"', answer.headers["etag"][0])
    assert answer.headers["cache-control"] == ["private, no-cache"]


@pytest.mark.parametrize("status", ["pending", "failed", "deleting", "nowhere", "malformed"])
def test_what_is_not_ready_is_not_there(stores: Stores, status: str) -> None:
    (ready,) = stores.insert_ready()
    image_id = {"nowhere": "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e", "malformed": "nonsense"}.get(status)
    image_id = image_id or stores.insert_unready(status)
    before = stores.rows()

    answers = [get_image(image_id), patch_image(image_id, {"title": "x"})]
    if status != "deleting":  # which a DELETE finishes
        answers += [trash_image(image_id), delete_for_good(image_id)]
    assert stores.rows() == before
    answers.append(restore_image(image_id))

    assert {answer.error for answer in answers} == {(404, "image_not_found")}
    assert not any("details" in answer.body["error"] for answer in answers)
    assert [image["id"] for image in get("/api/images").body["images"]] == [ready]
    assert get("/api/database/status").body["image_count"] == 1


def test_get_is_not_answered_again_while_nothing_has_changed(image: dict[str, Any]) -> None:
    etag = etag_of(image["id"])

    answer = get_image(image["id"], If_None_Match=f'"other", {etag}')
    assert (answer.status, answer.body, answer.headers["etag"]) == (304, None, [etag])
    assert answer.headers["cache-control"] == ["private, no-cache"]

    patch_image(image["id"], {"title": "new"})

    answer = get_image(image["id"], If_None_Match=etag)
    assert (answer.status, answer.image["title"]) == (200, "new")


def test_a_copy_is_another_when_its_original_is_gone(image: dict[str, Any]) -> None:
    copy = upload(PICTURE).image
    etag = etag_of(copy["id"])
    assert get_image(copy["id"]).image["duplicate_of"] == image["id"]
    delete_for_good(image["id"])

    answer = get_image(copy["id"], If_None_Match=etag)

    assert (answer.status, answer.image["duplicate_of"]) == (200, None)
    assert patch_image(copy["id"], {"title": "y"}, If_Match=etag).status == 200
