"""DELETE: what it leaves, If-Match, races, a store that fails."""

from typing import Any

import pytest
from imageapi.storage import s3

from tests.integration.client import get
from tests.integration.lifecycle import (
    delete_event,
    delete_for_good,
    fetch,
    get_image,
    open_link,
    patch_image,
)
from tests.integration.stores import Stores, fail


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_delete_does_not_touch_what_is_not_ready(stores: Stores, status: str) -> None:
    image_id = stores.insert_unready(status)

    assert delete_for_good(image_id).status == 404
    assert stores.statuses() == [status]


def test_delete_leaves_nothing(stores: Stores, image: dict[str, Any]) -> None:
    for link in ("thumbnail", "preview"):
        assert fetch(image["urls"][link], "image/webp").status == 200
    assert len(stores.keys()) == 3

    answer = delete_for_good(image["id"])

    assert (answer.status, answer.body) == (204, None)
    assert stores.is_empty()
    assert not stores.execute("SELECT * FROM image_variants")
    assert delete_for_good(image["id"]).status == 404
    assert get_image(image["id"]).status == 404
    assert get("/api/images").body["images"] == []
    assert open_link(image["urls"]["original"]).status == 404


def test_a_delete_that_the_store_refused_is_hidden_and_can_be_sent_again(
    stores: Stores, image: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(s3, "delete_objects", fail)
        assert delete_for_good(image["id"]).status == 503
    assert get_image(image["id"]).status == 404
    assert get("/api/images").body["images"] == []

    assert delete_for_good(image["id"]).status == 204
    assert stores.is_empty()


def test_patch_beside_delete_does_not_bring_the_image_back(stores: Stores, image: dict[str, Any]) -> None:
    with stores.paused_at(delete_event(image["id"]), "storage.s3.delete_objects", "before") as process:
        assert patch_image(image["id"], {"title": "x"}).status == 404
        assert process.finish().status == 204
    assert stores.is_empty()
