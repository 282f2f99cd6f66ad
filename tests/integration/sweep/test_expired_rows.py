"""The sweep finishes, undoes, removes or reports each kind of leftover, and changes nothing else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from imageapi.sweep import expired_rows

from tests.integration.client import Json, send, upload, upload_event
from tests.integration.leftovers import (
    BROKEN,
    PICTURE,
    counts,
    cut_complete,
    cut_delete,
    cut_refusal,
    cut_render,
    cut_trash,
    cut_upload,
    expire,
    forget_variant,
    lose_object,
    lose_variant,
    put,
    store_variant_of_trashed,
)
from tests.integration.lifecycle import (
    announce,
    announce_and_post,
    complete,
    delete_for_good,
    fetch,
    get_image,
    sweep,
)
from tests.integration.stores import Stores
from tests.support import pictures


def state(stores: Stores) -> tuple[Any, ...]:
    variants = stores.execute("SELECT * FROM image_variants ORDER BY 1, 2")
    return stores.rows(), variants, stores.keys()


ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"
UNSENT, SENT = ("storage.s3.put_object", "before"), ("storage.s3.put_object", "after")
REMOVING, REMOVED = ("storage.s3.delete_objects", "before"), ("storage.s3.delete_objects", "after")
HIDDEN, LOADED = ("database.db.query_as_actor", "after"), ("storage.s3.download", "after")
RENDERING = ("decoder.client.render", "before")
# Name: (creating function, count in the report, and the remaining status, variants and objects).
LEFTOVERS: dict[str, tuple[Callable[[Stores], Any], str, str, int, int]] = {
    "upload, no object": (lambda s: cut_upload(s, *UNSENT), "undone", "failed", 0, 0),
    "upload, object": (lambda s: cut_upload(s, *SENT), "undone", "failed", 0, 0),
    "announced, nothing came": (lambda _: announce(PICTURE), "undone", "failed", 0, 0),
    "announced, arrived": (lambda _: announce_and_post(PICTURE), "finished", "ready", 0, 1),
    "announced, broken": (lambda s: announce_and_post(BROKEN), "refused", "failed", 0, 0),
    "complete, not claimed": (lambda s: cut_complete(s, *LOADED), "finished", "ready", 0, 1),
    "complete, claimed": (lambda s: cut_complete(s, *UNSENT), "finished", "ready", 0, 1),
    "complete, stored": (lambda s: cut_complete(s, *SENT), "finished", "ready", 0, 1),
    "complete, ready": (lambda s: cut_complete(s, *REMOVING), "orphan_objects", "ready", 0, 1),
    "refused": (lambda s: complete(announce_and_post(BROKEN)), "undone", "", 0, 0),
    "refused, not removed": (lambda s: cut_refusal(s, *REMOVING), "undone", "", 0, 0),
    "delete, hidden": (lambda s: cut_delete(s, *HIDDEN), "undone", "", 0, 0),
    "delete, no objects": (lambda s: cut_delete(s, *REMOVED), "undone", "", 0, 0),
    "trash, variants left": (lambda s: cut_trash(s, *REMOVING), "undone", "trashed", 0, 1),
    "variant of a trashed image": (store_variant_of_trashed, "orphan_objects", "trashed", 0, 1),
    "render, claimed": (lambda s: cut_render(s, *RENDERING), "variants_removed", "ready", 0, 1),
    "render, object": (lambda s: cut_render(s, *SENT), "finished", "ready", 1, 2),
    "variant of an image, without a row": (forget_variant, "orphan_objects", "ready", 1, 2),
    "original without a row": (lambda s: put(s, f"originals/{ID}.jpg"), "orphan_objects", "", 0, 0),
    "incoming without a row": (lambda s: put(s, f"incoming/{ID}"), "orphan_objects", "", 0, 0),
    "variant without a row": (lambda s: put(s, f"variants/{ID}/w320.jpg"), "orphan_objects", "", 0, 0),
    "nearly a key": (lambda s: put(s, f"originals/{'a' * 36}.jpg"), "orphan_objects", "", 0, 0),
    "dashes": (lambda s: put(s, f"incoming/{'-' * 36}"), "orphan_objects", "", 0, 0),
    "a variant without its object": (lose_variant, "variants_lost", "ready", 0, 1),
    "a row without its object": (lose_object, "missing_objects", "ready", 0, 0),
}


@pytest.mark.parametrize("name", LEFTOVERS)
def test_leftover(stores: Stores, name: str) -> None:
    make, count, status, variants, objects = LEFTOVERS[name]
    kept = upload(pictures.png())
    make(stores)
    expire(stores)
    before = state(stores)

    # A dry run reads no picture, so it cannot detect a broken one.
    assert counts(sweep(dry_run=True)) == {"finished" if count == "refused" else count: 1}
    assert state(stores) == before

    report = sweep()

    assert counts(report) == {count: 1}
    assert report["dry_run"] is False
    rows, found, stored = state(stores)
    assert sorted(row["status"] for row in rows) == sorted(["ready", *filter(None, [status])])
    assert (len(found), len(stored)) == (variants, objects + 1)
    for row in rows:
        if row["status"] == "ready" and row["s3_key"] in stored:
            data = pictures.png() if str(row["id"]) == kept.image["id"] else PICTURE
            assert fetch(get_image(str(row["id"])).image["urls"]["original"]).data == data
    # The next sweep reports only missing objects again, because a person must act.
    assert counts(sweep()) == ({count: 1} if count == "missing_objects" else {})


AT_WORK = ("upload, object", "announced, arrived", "complete, stored", "delete, hidden", "render, object")


def test_what_is_still_at_work_is_left_alone(stores: Stores) -> None:
    for name in AT_WORK:
        LEFTOVERS[name][0](stores)
    before = state(stores)

    assert counts(sweep(dry_run=True)) == {}  # even though every object counts as old
    assert counts(sweep()) == {}
    assert state(stores) == before


def test_young_objects_are_left_alone(stores: Stores) -> None:
    image = upload(PICTURE).image
    keys = [f"originals/{ID}.jpg", f"incoming/{ID}", f"variants/{ID}/w320.jpg"]
    put(stores, *keys)

    assert counts(sweep(grace=3600)) == {}
    assert stores.keys() == sorted([*keys, image["s3_key"]])
    assert sweep()["orphan_keys"] == keys
    assert stores.keys() == [image["s3_key"]]


def test_more_than_one_batch(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expired_rows, "BATCH", 2)
    ids = stores.insert_ready(5)
    newest = f"originals/{ids[-1]}.jpg"
    put(stores, newest)
    for image_id in ids:
        announce(PICTURE)
        put(stores, f"variants/orphan-{image_id}")
        stores.insert_variant(image_id, "w320.jpg", "pending")
    expire(stores)
    expected = {"undone": 5, "variants_removed": 5, "orphan_objects": 5, "missing_objects": 4}

    assert counts(sweep(dry_run=True)) == expected
    assert counts(sweep()) == expected
    assert stores.statuses() == ["ready"] * 5 + ["failed"] * 5
    assert stores.keys() == [newest]


@pytest.mark.parametrize("target", ["storage.s3.put_object", "database.db.query_as_actor"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_slow_upload_is_undone_or_stays(stores: Stores, target: str, when: Any) -> None:
    with stores.paused_at(upload_event(PICTURE, idempotency_key="k"), target, when) as process:
        expire(stores)
        sweep()
        answer = process.finish()

    if (target, when) == ("database.db.query_as_actor", "after"):
        assert answer.status == 201
        assert fetch(answer.image["urls"]["original"]).data == PICTURE
    else:
        assert (answer.status, answer.code) == (409, "upload_interrupted")
        assert (stores.statuses(), stores.keys()) == (["failed"], [])
        assert send(upload_event(PICTURE, idempotency_key="k")).status == 201
    assert stores.keys() == [row["s3_key"] for row in stores.rows() if row["status"] == "ready"]


def test_several_at_once_beside_live_traffic_settle_everything_once(stores: Stores) -> None:
    """Uploads, deletions and views run during sweeps that consider every object old."""
    for _ in range(3):
        announce(PICTURE)
        announce_and_post(PICTURE)
        cut_render(stores, *SENT)
    expire(stores)

    def use() -> list[Json]:
        kept = []
        for number in range(6):
            data = pictures.jpeg(400, 300, seed=number)
            image = upload(data).image
            assert fetch(image["urls"]["thumbnail"]).status == 200
            assert fetch(image["urls"]["original"]).data == data
            kept.append(complete(announce_and_post(data)).image)
            if number % 2:
                assert delete_for_good(image["id"]).status == 204
        return kept

    def sweep_often() -> set[str]:
        return {name for _ in range(12) for name in counts(sweep())}

    with ThreadPoolExecutor(3) as pool:
        using, *sweeping = pool.submit(use), pool.submit(sweep_often), pool.submit(sweep_often)

    # No sweep fails. The incoming file of an upload that has just become ready may count as an orphan.
    assert {name for swept in sweeping for name in swept.result()} <= {"finished", "undone", "orphan_objects"}
    for image in using.result():
        assert fetch(image["urls"]["original"]).status == 200
    assert sorted(stores.statuses()) == ["failed"] * 3 + ["ready"] * 15
    assert len(stores.keys()) == 15 + 6
    assert counts(sweep()) == {}
