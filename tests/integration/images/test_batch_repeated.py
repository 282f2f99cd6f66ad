"""A repeated batch is executed once."""

from typing import Any
from unittest.mock import patch

import pytest
from imageapi.catalog import batches
from imageapi.sweep import run as module

from tests.integration.client import upload
from tests.integration.images.examples import METADATA, PICTURE
from tests.integration.images.test_batch import OPERATIONS, as_key, batch_event, run, statuses
from tests.integration.images.test_trash import types
from tests.integration.leftovers import expire
from tests.integration.lifecycle import get_image, patch_image, restore_image, sweep, trash_image
from tests.integration.stores import Stores
from tests.support.worker import STEP, Hook, answer_at_once, worker, workers


@pytest.mark.parametrize("atomic", [False, True])
def test_the_results_are_those_of_the_first(stores: Stores, ids: list[str], atomic: bool) -> None:
    trash_image(ids[2])
    first = run(ids[:2] if atomic else ids, "add_tags", tags=["x"], key="k", atomic=atomic)
    patch_image(ids[0], {"tags": []})
    trash_image(ids[1])
    restore_image(ids[2])
    before = stores.rows()

    again = run(ids[:2] if atomic else ids, "add_tags", tags=["x"], key="k", atomic=atomic)

    assert again.body == first.body
    assert statuses(again) == ([200, 200] if atomic else [200, 200, 404])
    assert stores.rows() == before


def test_a_key_is_for_one_request(stores: Stores, ids: list[str]) -> None:
    run(ids, "add_tags", tags=["x"], key="k")
    for other in (
        run(ids, "add_tags", tags=["y"], key="k"),
        run(ids[:2], "add_tags", tags=["x"], key="k"),
        run(ids, "add_tags", tags=["x"], key="k", atomic=True),
    ):
        assert other.error == (422, "idempotency_key_reused")
    assert run(ids, "trash", key="").code == "parameter_invalid"
    assert get_image(ids[0]).image["tags"] == [*METADATA["tags"], "x"]


def test_keys_of_two_api_keys_do_not_meet(stores: Stores, ids: list[str]) -> None:
    run(ids, "add_tags", tags=["x"], key="k")
    patch_image(ids[0], {"tags": []})
    assert statuses(as_key(batch_event(ids, "add_tags", tags=["x"], key="k"), "images:write")) == [200] * 3
    assert get_image(ids[0]).image["tags"] == ["x"]


def test_an_atomic_batch_that_failed_may_succeed_later(stores: Stores, ids: list[str]) -> None:
    trash_image(ids[0])
    assert run(ids, "add_tags", tags=["x"], key="k", atomic=True).status == 409
    restore_image(ids[0])
    assert statuses(run(ids, "add_tags", tags=["x"], key="k", atomic=True)) == [200] * 3


def test_what_may_pass_is_not_remembered(stores: Stores, ids: list[str]) -> None:
    run(ids, "trash")
    stores.execute(
        "INSERT INTO pending_removals (image_id, variants, lease_until) VALUES (%s, '{}', 'infinity')",
        (ids[0],),
    )
    first = run(ids, "restore", key="k")
    assert statuses(first) == [409, 200, 200]
    assert first.body["results"][0]["error"]["code"] == "image_trash_pending"
    expire(stores)
    assert statuses(run(ids, "restore", key="k")) == [200] * 3
    assert stores.statuses() == ["ready"] * 3


@pytest.mark.parametrize("operation", [*OPERATIONS])
@pytest.mark.parametrize("step", range(1, 9))
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_and_sent_again(stores: Stores, ids: list[str], operation: str, step: int, when: Any) -> None:
    if operation == "restore":
        run(ids, "trash")
    event = batch_event(ids, operation, key="k", **OPERATIONS[operation])
    with worker(stores.environment) as process:
        process.send(event, Hook(STEP, when, step))
        message = process.read()
        if "ended" not in message:  # a deletion has fewer steps
            process.read()
    expire(stores)

    assert statuses(run(ids, operation, key="k", **OPERATIONS[operation])) in ([200] * 3, [204] * 3)

    kind = {"trash": "trashed", "restore": "restored", "delete": "deleted"}.get(operation, "changed")
    for image_id in ids:
        assert types(stores, image_id).count(f"image.{kind}") == 1
    expire(stores)
    sweep()
    assert stores.statuses() == {"trash": ["trashed"], "delete": []}.get(operation, ["ready"]) * 3
    assert len(stores.keys()) == len(stores.statuses())


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("operation", ["add_tags", "trash"])
def test_at_once(stores: Stores, operation: str, atomic: bool) -> None:
    with workers(stores.environment, 3) as processes:
        for turn in range(3):
            ids = [upload(PICTURE, METADATA).image["id"] for _ in range(5)]
            event = batch_event(ids, operation, key=f"k{turn}", atomic=atomic, **OPERATIONS[operation])
            answers = answer_at_once(processes, event)
            assert [answer.body for answer in answers] == [answers[0].body] * 3
            assert set(statuses(answers[0])) <= {200, 204}
            for image_id in ids:
                assert len(types(stores, image_id)) == 2


def test_a_repeated_one_that_comes_late_does_not_do_it_again(stores: Stores, ids: list[str]) -> None:
    event = batch_event(ids, "add_tags", tags=["x"], key="k")
    with stores.paused_at(event, "catalog.bulk_updates.find_images", "before") as process:
        run(ids, "add_tags", tags=["x"], key="k")
        patch_image(ids[0], {"tags": []})
        process.resume()
        assert statuses(process.answer()) == [200] * 3

    assert get_image(ids[0]).image["tags"] == []


@pytest.mark.parametrize("key", [None, "k"])
@pytest.mark.parametrize("target", ["catalog.bulk_updates.update_images", "database.db.transaction"])
def test_a_change_meanwhile_is_not_lost(stores: Stores, ids: list[str], target: str, key: str | None) -> None:
    """The batch reads the rows before the change."""
    event = batch_event(ids, "add_tags", tags=["x"], key=key, atomic=target.endswith("transaction"))
    with stores.paused_at(event, target, "before") as process:
        patch_image(ids[0], {"tags": ["meanwhile"]})
        trash_image(ids[1])
        answer = process.finish()

    if target.endswith("transaction"):
        assert answer.code == "batch_failed"
    else:
        assert statuses(answer) == [200, 404, 200]
        assert get_image(ids[0]).image["tags"] == ["meanwhile", "x"]


@patch.object(module, "KEY_BATCH", 1)
def test_the_sweep_forgets_old_batches(stores: Stores, ids: list[str]) -> None:
    for number in range(4):
        run(ids, "add_tags", tags=["x"], key=f"k{number}")
    stores.execute("UPDATE batches SET created_at = now() - interval '8 days' WHERE key <> 'k1'")

    sweep(dry_run=True)
    assert len(stores.execute("SELECT * FROM batches")) == 4
    sweep()

    assert [row["key"] for row in stores.execute("SELECT key FROM batches")] == ["k1"]
    assert batches.begin("k1", b"x" * 32)["results"] != {}
