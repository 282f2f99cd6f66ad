"""The trash, when a store fails or the process dies."""

from typing import Any

import pytest
from imageapi.storage import s3

from tests.integration.images.conftest import REMOVAL, WEBP
from tests.integration.images.test_trash import types
from tests.integration.leftovers import counts, die, expire
from tests.integration.lifecycle import (
    fetch,
    get_image,
    restore_image,
    sweep,
    trash_event,
    trash_image,
)
from tests.integration.stores import Configure, Stores, fail
from tests.support.worker import Hook, worker


def test_a_trash_that_the_store_refused_is_done_and_can_be_sent_again(
    stores: Stores, viewed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(s3, "delete_objects", fail)
        assert trash_image(viewed["id"]).status == 503
    assert stores.statuses() == ["trashed", "deleting"] or stores.statuses() == ["deleting", "trashed"]
    assert get_image(viewed["id"]).status == 404

    assert trash_image(viewed["id"]).status == 204
    assert stores.keys() == [viewed["s3_key"]]
    assert stores.statuses() == ["trashed"]
    assert types(stores, viewed["id"]) == ["image.uploaded", "image.trashed"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_restore_removes_what_a_killed_trash_left(
    stores: Stores, viewed: dict[str, Any], when: Any
) -> None:
    die(stores, trash_event(viewed["id"]), REMOVAL, when)
    expire(stores)

    assert restore_image(viewed["id"]).status == 200

    assert stores.statuses() == ["ready"]
    assert stores.keys() == [viewed["s3_key"]]
    assert fetch(viewed["urls"]["thumbnail"], WEBP).status == 200
    assert counts(sweep()) == {}
    assert fetch(viewed["urls"]["thumbnail"], WEBP).status == 200


def test_a_restore_that_cannot_remove_the_rest_restores_nothing(
    stores: Stores, viewed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    die(stores, trash_event(viewed["id"]), REMOVAL, "before")
    expire(stores)
    with monkeypatch.context() as patch:
        patch.setattr(s3, "delete_objects", fail)
        assert restore_image(viewed["id"]).status == 503
    assert sorted(stores.statuses()) == ["deleting", "trashed"]
    assert restore_image(viewed["id"]).status == 200


def test_the_marker_comes_after_the_variants(
    stores: Stores, viewed: dict[str, Any], configure: Configure
) -> None:
    """Behind CloudFront, which could cache again what is still there. The sweep does not know its secret."""
    configure(EDGE="true")
    marker = f"invalidations/{viewed['id']}"
    with worker(stores.environment | {"EDGE": "true"}) as process:
        process.send(trash_event(viewed["id"]), Hook("storage.s3.put_object", "before", 1))
        process.wait_killed()
    assert stores.keys() == [viewed["s3_key"]]
    expire(stores)

    sweep()

    assert stores.keys() == sorted([marker, viewed["s3_key"]]), "the sweep puts it"
    assert stores.statuses() == ["trashed"]
