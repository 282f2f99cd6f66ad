"""The trash, when something else happens to the image at the same time."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.integration.client import upload
from tests.integration.images.conftest import REMOVAL, WEBP
from tests.integration.images.examples import PICTURE
from tests.integration.images.test_batch import batch_event
from tests.integration.images.test_trash import types
from tests.integration.leftovers import counts, die, expire, put
from tests.integration.lifecycle import (
    delete_event,
    delete_for_good,
    deliver_event,
    fetch,
    image_event,
    open_link,
    restore_event,
    restore_image,
    trash_image,
)
from tests.integration.stores import Stores
from tests.support.worker import STEP, Hook, answer_at_once, worker, workers


def test_a_restore_waits_until_the_variants_are_removed(stores: Stores, viewed: dict[str, Any]) -> None:
    with worker(stores.environment) as process:
        process.send(image_event("DELETE", viewed["id"]), Hook(REMOVAL, "before", 1, "pause"))
        process.wait_paused()
        answer = restore_image(viewed["id"])
        assert (answer.status, answer.code) == (409, "trash_in_progress")
        assert answer.headers["retry-after"] == ["2"]
        process.resume()
        assert process.answer().status == 204

    assert restore_image(viewed["id"]).status == 200
    assert fetch(viewed["urls"]["thumbnail"], WEBP).status == 200


def test_a_worker_that_lost_its_lease_does_not_finish_for_another(
    stores: Stores, viewed: dict[str, Any]
) -> None:
    """Its deletion is one of everything by now."""
    with worker(stores.environment) as process:
        process.send(image_event("DELETE", viewed["id"]), Hook(REMOVAL, "after", 1, "pause"))
        process.wait_paused()
        die(stores, delete_event(viewed["id"]), REMOVAL, "before")
        process.resume()
        assert process.answer().status == 204

    assert stores.statuses() == ["deleting"], "not forgotten: its original is still there"
    expire(stores)
    assert delete_for_good(viewed["id"]).status == 204
    assert stores.is_empty()


def test_a_removal_that_was_overtaken_removes_no_variant_that_was_rendered_since(
    stores: Stores, viewed: dict[str, Any]
) -> None:
    """Two requests delete; the image comes back and is viewed before the first removes the variants."""
    with worker(stores.environment) as process:
        process.send(image_event("DELETE", viewed["id"]), Hook(REMOVAL, "before", 1, "pause"))
        process.wait_paused()
        assert trash_image(viewed["id"]).status == 404, "the first is at work"
        if restore_image(viewed["id"]).status == 200:
            assert fetch(viewed["urls"]["thumbnail"], WEBP).status == 200
        process.resume()
        assert process.answer().status == 204

    restore_image(viewed["id"])
    assert fetch(viewed["urls"]["thumbnail"], WEBP).status == 200


CHANGES = {
    "catalog.images.raise_link_version": ("POST", "/links/revoke", None),
    "catalog.images.lock": ("PATCH", "", {"title": "x"}),
}


@pytest.mark.parametrize("target", CHANGES)
def test_a_change_that_finds_the_image_in_the_trash_and_then_back_is_made(
    stores: Stores, image: dict[str, Any], target: str
) -> None:
    method, path, body = CHANGES[target]
    trash_image(image["id"])
    with worker(stores.environment) as process:
        process.send(image_event(method, image["id"] + path, body), Hook(target, "after", 1, "pause"))
        process.wait_paused()
        assert restore_image(image["id"]).status == 200
        process.resume()
        assert process.answer().status == 200

    assert types(stores, image["id"])[-1] in ("image.links_revoked", "image.changed")


def test_a_variant_that_the_trash_removed_is_stored_again_after_a_restore(
    stores: Stores, image: dict[str, Any]
) -> None:
    with worker(stores.environment) as process:
        event = deliver_event(image["urls"]["thumbnail"], WEBP)
        process.send(event, Hook("storage.s3.put_object", "after", 1, "pause"))
        process.wait_paused()
        assert trash_image(image["id"]).status == 204
        assert restore_image(image["id"]).status == 200
        process.resume()
        assert process.answer().status == 302

    assert fetch(image["urls"]["thumbnail"], WEBP).status == 200


def test_a_variant_that_is_stored_after_the_trash_is_removed_with_the_rest(
    stores: Stores, image: dict[str, Any]
) -> None:
    """The view ends while the deletion is being worked on."""
    with worker(stores.environment) as view, worker(stores.environment) as trash:
        view.send(
            deliver_event(image["urls"]["thumbnail"], WEBP),
            Hook("storage.s3.put_object", "before", 1, "pause"),
        )
        view.wait_paused()
        trash.send(image_event("DELETE", image["id"]), Hook(REMOVAL, "after", 1, "pause"))
        trash.wait_paused()
        view.resume()
        assert view.answer().status == 404
        trash.resume()
        assert trash.answer().status == 204

    assert stores.keys() == [image["s3_key"]]
    assert stores.statuses() == ["trashed"]


def test_two_restores_at_once(stores: Stores) -> None:
    with workers(stores.environment, 3) as processes:
        for _ in range(4):
            image = upload(PICTURE).image
            trash_image(image["id"])
            answers = answer_at_once(processes, restore_event(image["id"]))
            assert sorted(answer.status for answer in answers) == [200, 409, 409]
            assert types(stores, image["id"]).count("image.restored") == 1
            assert stores.statuses() == ["ready"]
            delete_for_good(image["id"])


def test_two_trashes_at_once(stores: Stores) -> None:
    with workers(stores.environment, 3) as processes:
        for _ in range(4):
            image = upload(PICTURE).image
            answers = answer_at_once(processes, image_event("DELETE", image["id"]))
            assert {answer.status for answer in answers} <= {204, 404}
            assert types(stores, image["id"]).count("image.trashed") == 1
            assert stores.statuses() == ["trashed"]
            delete_for_good(image["id"])


@pytest.mark.parametrize("call", range(1, 3))
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("first", [restore_event, delete_event])
def test_deleted_for_good_while_it_is_restored(
    stores: Stores, viewed: dict[str, Any], call: int, when: Any, first: Any
) -> None:
    other = {restore_event: delete_for_good, delete_event: restore_image}[first]
    trash_image(viewed["id"])
    with worker(stores.environment) as process:
        process.send(first(viewed["id"]), Hook(STEP, when, call, "pause"))
        process.wait_paused()
        second = other(viewed["id"])
        process.resume()
        answer = process.answer()

    assert {answer.status, second.status} <= {200, 204, 404}
    assert 204 in (answer.status, second.status)
    assert stores.is_empty()
    assert types(stores, viewed["id"])[-1] == "image.deleted"


@pytest.mark.parametrize("call", range(1, 4))
@pytest.mark.parametrize("when", ["before", "after"])
def test_viewed_while_it_is_trashed(stores: Stores, viewed: dict[str, Any], call: int, when: Any) -> None:
    with worker(stores.environment) as process:
        process.send(image_event("DELETE", viewed["id"]), Hook(STEP, when, call, "pause"))
        process.wait_paused()
        answer = open_link(viewed["urls"]["preview"], WEBP)
        assert answer.status == (302 if (call, when) == (1, "before") else 404)
        process.resume()
        assert process.answer().status == 204

    assert stores.keys() == [viewed["s3_key"]]
    assert stores.variants() == []


@pytest.mark.parametrize("target", ["storage.s3.download", "pictures.render.render", "storage.s3.put_object"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("is_restored", [False, True])
def test_trashed_while_it_is_rendered(
    stores: Stores, image: dict[str, Any], target: str, when: Any, is_restored: bool
) -> None:
    with worker(stores.environment) as process:
        process.send(deliver_event(image["urls"]["thumbnail"], WEBP), Hook(target, when, 1, "pause"))
        process.wait_paused()
        assert trash_image(image["id"]).status == 204
        if is_restored:
            assert restore_image(image["id"]).status == 200
            assert fetch(image["urls"]["thumbnail"], WEBP).status == 200
        process.resume()
        answer = process.answer()

    assert answer.status == (302 if is_restored else 404)
    assert stores.statuses() == ["ready" if is_restored else "trashed"]
    assert len(stores.keys()) == (2 if is_restored else 1)
    if is_restored:
        assert fetch(image["urls"]["thumbnail"], WEBP).status == 200


@pytest.mark.parametrize("call", range(1, 3))
def test_changed_while_it_is_trashed(stores: Stores, image: dict[str, Any], call: int) -> None:
    with worker(stores.environment) as process:
        process.send(image_event("PATCH", image["id"], {"title": "x"}), Hook(STEP, "before", call, "pause"))
        process.wait_paused()
        assert trash_image(image["id"]).status == 204
        process.resume()
        assert process.answer().status in (200, 404)
    assert restore_image(image["id"]).status == 200
    seen = types(stores, image["id"])
    assert seen[0] == "image.uploaded"
    assert seen[-2:] == ["image.trashed", "image.restored"]


@pytest.mark.parametrize("remove", [trash_image, delete_for_good])
def test_a_variant_that_is_claimed_at_the_same_moment_is_removed_too(
    stores: Stores, image: dict[str, Any], remove: Any
) -> None:
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
        time.sleep(0.5)
        connection.commit()

    assert answer.result().status == 204
    connection.close()
    assert stores.keys() == ([image["s3_key"]] if remove is trash_image else [])


def test_deleted_for_good_while_a_restore_commits(stores: Stores, image: dict[str, Any]) -> None:
    trash_image(image["id"])
    with worker(stores.environment) as process:
        process.send(
            batch_event([image["id"]], "restore"), Hook("catalog.trash.restore", "after", 1, "pause")
        )
        process.wait_paused()
        with ThreadPoolExecutor(1) as pool:
            deleted = pool.submit(delete_for_good, image["id"])
            time.sleep(0.5)
            process.resume()
        assert process.answer().body["succeeded"] == 1

    assert deleted.result().status == 204
    assert stores.is_empty()
    assert types(stores, image["id"])[-2:] == ["image.restored", "image.deleted"]


def test_the_sweep_leaves_what_is_restored_meanwhile(stores: Stores, image: dict[str, Any]) -> None:
    trash_image(image["id"])
    stores.execute("UPDATE trashed_images SET purge_after = now()")
    with worker(stores.environment) as process:
        process.send(
            {"object_grace_seconds": -60},
            Hook("catalog.pending_removals.begin_expired", "before", 1, "pause"),
            function="SweepFunction",
        )
        process.wait_paused()
        assert restore_image(image["id"]).status == 200
        assert trash_image(image["id"]).status == 204
        process.resume()
        assert counts(process.read_response()) == {}
    assert stores.statuses() == ["trashed"]
    assert restore_image(image["id"]).status == 200
