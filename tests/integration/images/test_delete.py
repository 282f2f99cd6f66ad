"""DELETE: what it leaves, If-Match, races, a store that fails."""

from typing import Any

import pytest
from imageapi.storage import s3

from tests.integration.client import get, upload
from tests.integration.images.examples import etag_of
from tests.integration.lifecycle import (
    delete_event,
    delete_for_good,
    fetch,
    get_image,
    open_link,
    patch_image,
)
from tests.integration.stores import Stores, fail
from tests.support import pictures
from tests.support.worker import Hook, answer_at_once, worker, workers


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


def test_delete_of_an_older_version_is_refused(stores: Stores, image: dict[str, Any]) -> None:
    old = etag_of(image["id"])
    patch_image(image["id"], {"title": "changed"})

    answer = delete_for_good(image["id"], If_Match=old)

    assert (answer.status, answer.code) == (412, "version_mismatch")
    assert fetch(image["urls"]["original"]).data == pictures.jpeg(400, 300)
    assert delete_for_good(image["id"], If_Match=f"{old}, {etag_of(image['id'])}").status == 204
    assert stores.is_empty()


def test_delete_takes_the_image_out_of_duplicate_of(stores: Stores) -> None:
    first, second, third = [upload(pictures.jpeg()).image for _ in range(3)]
    assert [second["duplicate_of"], third["duplicate_of"]] == [first["id"]] * 2

    delete_for_good(first["id"])

    assert get_image(second["id"]).image["duplicate_of"] is None
    assert get_image(third["id"]).image["duplicate_of"] == second["id"]
    assert upload(pictures.jpeg()).image["duplicate_of"] == second["id"]


def test_deletes_at_once_leave_nothing_and_none_fails(stores: Stores) -> None:
    with workers(stores.environment, 3) as processes:
        for _ in range(4):
            image = upload(pictures.jpeg()).image
            answers = answer_at_once(processes, delete_event(image["id"]))

            assert {answer.status for answer in answers} <= {204, 404}
            assert 204 in [answer.status for answer in answers]
            assert stores.is_empty()


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
    with worker(stores.environment) as process:
        process.send(delete_event(image["id"]), Hook("storage.s3.delete_objects", "before", 1, "pause"))
        process.wait_paused()
        assert patch_image(image["id"], {"title": "x"}).status == 404
        process.resume()
        assert process.answer().status == 204
    assert stores.is_empty()
