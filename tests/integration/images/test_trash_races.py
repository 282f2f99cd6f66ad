"""The trash when another request uses the image at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.client import Json, upload
from tests.integration.images.conftest import REMOVAL, WEBP
from tests.integration.images.examples import PICTURE
from tests.integration.images.test_batch import batch_event
from tests.integration.images.test_trash import types
from tests.integration.leftovers import counts, die, expire, put
from tests.integration.lifecycle import (
    delete_event,
    delete_for_good,
    fetch,
    image_event,
    restore_event,
    restore_image,
    trash_event,
    trash_image,
)
from tests.integration.stores import Stores
from tests.support.events import Event
from tests.support.worker import answer_at_once, workers


def test_nothing_goes_on_before_the_variants_are_removed(stores: Stores, viewed: Json) -> None:
    """Otherwise, the first request would remove a variant that was rendered after it."""
    with stores.paused_at(trash_event(viewed["id"]), REMOVAL, "before") as process:
        assert trash_image(viewed["id"]).status == 404
        answer = restore_image(viewed["id"])
        assert (answer.error, answer.headers["retry-after"]) == ((409, "image_trash_pending"), ["2"])
        assert process.finish().status == 204

    assert restore_image(viewed["id"]).status == 200
    assert fetch(viewed["urls"]["thumbnail"], WEBP).status == 200


def test_a_worker_that_lost_its_lease_does_not_finish_for_another(stores: Stores, viewed: Json) -> None:
    """Meanwhile, another request has turned it into a permanent deletion."""
    with stores.paused_at(trash_event(viewed["id"]), REMOVAL, "after") as process:
        die(stores, delete_event(viewed["id"]), REMOVAL, "before")
        assert process.finish().status == 204

    assert stores.statuses() == ["deleting"], "not forgotten: its original is still there"
    expire(stores)
    assert delete_for_good(viewed["id"]).status == 204
    assert stores.is_empty()


CHANGES = {
    "catalog.images.raise_link_version": ("POST", "/links/revoke", None, "image.links_revoked"),
    "catalog.images.lock": ("PATCH", "", {"title": "x"}, "image.changed"),
}


@pytest.mark.parametrize("target", CHANGES)
def test_a_change_is_made_if_a_restore_brings_it_back(stores: Stores, image: Json, target: str) -> None:
    method, path, body, change = CHANGES[target]
    trash_image(image["id"])
    with stores.paused_at(image_event(method, image["id"] + path, body), target, "after") as process:
        assert restore_image(image["id"]).status == 200
        assert process.finish().status == 200

    assert types(stores, image["id"])[-1] == change


@pytest.mark.parametrize(
    ("make", "statuses", "change", "left"),
    [
        (trash_event, {204, 404}, "image.trashed", ["trashed"]),
        (restore_event, {200, 409}, "image.restored", ["ready"]),
        (delete_event, {204, 404}, "image.deleted", []),
    ],
)
def test_several_at_once_do_it_once(
    stores: Stores, make: Callable[[str], Event], statuses: set[int], change: str, left: list[str]
) -> None:
    with workers(stores.environment, 3) as processes:
        for _ in range(4):
            image_id = upload(PICTURE).image["id"]
            if make is restore_event:
                trash_image(image_id)
            answers = answer_at_once(processes, make(image_id))
            assert {answer.status for answer in answers} <= statuses
            assert min(statuses) in [answer.status for answer in answers]
            assert types(stores, image_id).count(change) == 1
            assert stores.statuses() == left
            delete_for_good(image_id)
            assert stores.is_empty()


@pytest.mark.parametrize("remove", [trash_image, delete_for_good])
def test_a_variant_that_is_claimed_meanwhile_is_removed_too(stores: Stores, image: Json, remove: Any) -> None:
    connection = stores.postgres.connect()
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM image_metadata WHERE id = %s FOR KEY SHARE", (image["id"],))
        cursor.execute(
            "INSERT INTO image_variants (image_id, name, lease_until) VALUES (%s, 'w320.webp', now())",
            (image["id"],),
        )
    put(stores, f"variants/{image['id']}/w320.webp")

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(remove, image["id"])
        stores.wait_for_lock()
        connection.commit()

    assert answer.result().status == 204
    connection.close()
    assert stores.keys() == ([image["s3_key"]] if remove is trash_image else [])


def test_deleted_for_good_while_a_restore_commits(stores: Stores, image: Json) -> None:
    trash_image(image["id"])
    event = batch_event([image["id"]], "restore")
    with stores.paused_at(event, "catalog.trash.restore", "after") as process, ThreadPoolExecutor(1) as pool:
        deleted = pool.submit(delete_for_good, image["id"])
        stores.wait_for_lock()
        assert process.finish().body["succeeded"] == 1

    assert deleted.result().status == 204
    assert stores.is_empty()
    assert types(stores, image["id"])[-2:] == ["image.restored", "image.deleted"]


def test_the_sweep_leaves_what_is_restored_meanwhile(stores: Stores, image: Json) -> None:
    trash_image(image["id"])
    stores.execute("UPDATE trashed_images SET purge_after = now()")
    event, target = {"object_grace_seconds": -60}, "catalog.pending_removals.begin_expired"
    with stores.paused_at(event, target, "before", function="SweepFunction") as process:
        assert restore_image(image["id"]).status == 200
        assert trash_image(image["id"]).status == 204
        process.resume()
        assert counts(process.read_response()) == {}
    assert stores.statuses() == ["trashed"]
    assert restore_image(image["id"]).status == 200
