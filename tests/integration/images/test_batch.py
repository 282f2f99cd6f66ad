"""POST /api/images/batch: each operation, atomic or not, and refused requests."""

import json
from typing import Any
from unittest.mock import patch

import pytest
from imageapi.images import batch

from tests.integration.analyses import queue
from tests.integration.client import Json, get, send
from tests.integration.images.examples import METADATA, NOWHERE, shown
from tests.integration.images.test_trash import types
from tests.integration.key_requests import make_key
from tests.integration.leftovers import expire
from tests.integration.lifecycle import (
    KEY,
    delete_event,
    fetch,
    get_image,
    image_event,
    patch_image,
    restore_event,
    sweep,
    trash_image,
)
from tests.integration.stores import Configure, Stores, failing, new_id
from tests.support.answers import Answer
from tests.support.events import Event, make_event

OPERATIONS: dict[str, dict[str, Any]] = {
    "set_category": {"category": "新"},
    "add_tags": {"tags": ["新"]},
    "remove_tags": {"tags": ["海"]},
    "trash": {},
    "restore": {},
    "delete": {},
}


def batch_event(ids: Any, operation: Any, *, key: str | None = None, **more: Any) -> Event:
    headers = KEY | ({} if key is None else {"Idempotency-Key": key})
    body = json.dumps({"ids": ids, "operation": operation, **more})
    return make_event("POST", "/api/images/batch", headers, body=body)


def run(ids: Any, operation: Any, *, key: str | None = None, **more: Any) -> Answer:
    return send(batch_event(ids, operation, key=key, **more))


def as_key(event: Event, scope: str) -> Answer:
    return send(event | {"headers": event["headers"] | {"X-API-Key": make_key(scope)["key"]}})


def list_ids(**query: str) -> list[str]:
    return [image["id"] for image in get("/api/images", query).body["images"]]


def statuses(answer: Answer) -> list[int]:
    assert answer.status == 200, answer.text
    found = [result["status"] for result in answer.body["results"]]
    assert answer.body["succeeded"] == sum(status < 400 for status in found)
    assert answer.body["failed"] == sum(status >= 400 for status in found)
    return found


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("key", [None, "k"])
def test_tags_are_added(stores: Stores, ids: list[str], atomic: bool, key: str | None) -> None:
    before = get_image(ids[0]).image

    answer = run(ids, "add_tags", tags=["新", "海", " 新 "], atomic=atomic, key=key)

    results = [{"id": image_id, "status": 200} for image_id in ids]
    assert answer.body == {"results": results, "succeeded": 3, "failed": 0}
    image = get_image(ids[0]).image
    changes = {"tags": [*METADATA["tags"], "新"], "updated_at": image["updated_at"], "version": 2}
    assert shown(image) == shown(before) | changes
    assert image["updated_at"] > before["updated_at"]
    assert list_ids(tags="新") == list_ids(q="新 夕焼け") == ids
    assert {"name": "新", "image_count": 3} in get("/api/tags").body["tags"]
    who = {"key_id": "root", "request_id": answer.headers["x-request-id"][0]}
    for image_id in ids:
        _, change = stores.changes(image_id)
        assert change | who | {"type": "image.changed"} == change


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("key", [None, "k"])
def test_what_changes_nothing(stores: Stores, ids: list[str], atomic: bool, key: str | None) -> None:
    before = stores.rows()
    same: Json = {"add_tags": {"tags": ["海"]}, "remove_tags": {"tags": ["x"]}}
    same["set_category"] = {"category": METADATA["category"]}
    for operation, values in same.items():
        answer = run(ids, operation, atomic=atomic, key=key and key + operation, **values)
        assert statuses(answer) == [200] * 3, operation
        assert stores.rows() == before, operation


def test_the_other_operations(stores: Stores, ids: list[str]) -> None:
    fetch(get_image(ids[0]).image["urls"]["thumbnail"])
    assert statuses(run(ids, "set_category", category=" 新 ")) == [200] * 3
    assert get("/api/categories").body["categories"] == [{"name": "新", "image_count": 3}]
    assert statuses(run(ids[:1], "remove_tags", tags=["空", "x"])) == [200]
    assert get_image(ids[0]).image["tags"] == ["海"]
    assert statuses(run(ids, "trash")) == [204] * 3
    assert stores.statuses() == ["trashed"] * 3
    assert len(stores.keys()) == 3
    assert statuses(run(ids, "restore")) == [200] * 3
    assert stores.statuses() == ["ready"] * 3
    trash_image(ids[0])
    assert statuses(run(ids, "delete")) == [204] * 3
    assert stores.is_empty()
    assert types(stores, ids[1])[1:] == ["image.changed", "image.trashed", "image.restored", "image.deleted"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_has_its_own_result(stores: Stores, ids: list[str], operation: str) -> None:
    trash_image(ids[1])

    answer = run([ids[0].upper(), NOWHERE, ids[1]], operation, **OPERATIONS[operation])

    nowhere = (404, "image_not_found")
    expected = {
        "restore": [(409, "image_not_trashed"), nowhere, (200, None)],
        "delete": [(204, None), nowhere, (204, None)],
        "trash": [(204, None), nowhere, nowhere],
    }
    found = [(result["status"], result.get("error", {}).get("code")) for result in answer.body["results"]]
    assert found == expected.get(operation, [(200, None), nowhere, nowhere])
    assert [result["id"] for result in answer.body["results"]] == [ids[0], NOWHERE, ids[1]]
    if operation not in ("restore", "delete"):
        assert answer.body["results"][2]["error"]["details"] == {"trashed": True}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("key", [None, "k"])
def test_all_or_none(stores: Stores, ids: list[str], operation: str, key: str | None) -> None:
    if operation == "restore":
        run(ids, "trash")
    before, changes = stores.rows(), stores.changes()

    answer = run([*ids, NOWHERE], operation, atomic=True, key=key, **OPERATIONS[operation])

    assert answer.error == (409, "batch_failed")
    (result,) = answer.body["error"]["details"]["results"]
    assert (result["id"], result["status"], result["error"]["code"]) == (NOWHERE, 404, "image_not_found")
    assert stores.rows() == before
    assert stores.changes() == changes
    assert len(stores.keys()) == 3
    assert statuses(run(ids, operation, atomic=True, **OPERATIONS[operation])) in ([200] * 3, [204] * 3)


def test_too_many_tags(stores: Stores, ids: list[str]) -> None:
    patch_image(ids[0], {"tags": [f"t{number}" for number in range(32)]})
    before = get_image(ids[0]).image

    answer = run(ids, "add_tags", tags=["x"])

    assert statuses(answer) == [422, 200, 200]
    assert answer.body["results"][0]["error"]["code"] == "field_invalid"
    assert shown(get_image(ids[0]).image) == shown(before)
    assert statuses(run(ids[:1], "add_tags", tags=["T1", "t2"])) == [200], "it has them"
    assert run(ids, "add_tags", tags=["y"], atomic=True).code == "batch_failed"
    assert get_image(ids[1]).image["tags"] == [*METADATA["tags"], "x"]


def test_an_analysis_stays_searchable(stores: Stores, ids: list[str]) -> None:
    queue(stores, ids[0])
    stores.execute(
        """UPDATE image_analysis
           SET status = 'ready', caption = 'lighthouse', tags = '{beam}', analyzed_at = now()"""
    )
    for atomic in (False, True):
        run(ids, "add_tags", tags=[f"tag {atomic}"], atomic=atomic)
        assert list_ids(q="lighthouse") == list_ids(q="beam") == ids[:1]


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        *(({"tags": tags}, "tags", "value") for tags in ([], [" "])),
        ({"tags": ["x" * 65]}, "tags", "too_long"),
        ({"category": "x"}, "category", "unknown"),
        ({"operation": "set_category"}, "category", "required"),
        ({"operation": "trash"}, "tags", "unknown"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_refused(stores: Stores, ids: list[str], changes: Json, field: str, reason: str) -> None:
    before = stores.rows()
    body: Json = {"ids": ids, "operation": "add_tags", "tags": ["x"]} | changes

    answer = run(**body)

    assert answer.error == (422, "field_invalid")
    assert {"field": field, "reason": reason}.items() <= answer.body["error"]["details"].items()
    assert stores.rows() == before


def test_the_most_ids(stores: Stores) -> None:
    assert statuses(run([new_id() for _ in range(200)], "trash")) == [404] * 200


def test_scopes(stores: Stores, ids: list[str], configure: Configure) -> None:
    """Permanent deletion requires another scope."""
    trash, restore = image_event("DELETE", ids[0]), restore_event(ids[0])
    events = {name: batch_event(ids, name, **fields) for name, fields in OPERATIONS.items()}
    for_good = [delete_event(ids[0]), events["delete"]]
    for event in (trash, restore, *events.values(), *for_good):
        needed, other = ("images:delete", "images:write")[:: 1 if event in for_good else -1]
        answer = as_key(event, other)
        assert answer.error == (403, "scope_missing")
        assert answer.body["error"]["details"] == {"scope": needed}
    assert as_key(trash, "images:write").status == as_key(restore, "images:write").status == 204
    configure(TRASH_DAYS="0")
    assert as_key(trash, "images:write").status == as_key(events["trash"], "images:write").status == 403
    assert stores.statuses() == ["ready"] * 3
    assert as_key(trash, "images:delete").status == 204
    assert statuses(as_key(events["trash"], "images:delete")) == [404, 204, 204]
    assert stores.is_empty()


def test_objects_that_the_store_kept_are_left_to_the_sweep(stores: Stores, ids: list[str]) -> None:
    with failing("delete_objects"):
        assert statuses(run(ids, "delete")) == [204] * 3
    assert stores.statuses() == ["deleting"] * 3
    expire(stores)
    sweep()
    assert stores.is_empty()


def test_when_the_time_is_over_the_rest_is_left(stores: Stores, ids: list[str]) -> None:
    with patch.object(batch, "time_left", side_effect=[100.0, 1.0, 1.0]):
        answer = run(ids, "add_tags", tags=["x"], key="k")

    assert statuses(answer) == [200, 503, 503]
    assert answer.body["results"][1]["error"]["code"] == "batch_interrupted"
    assert [get_image(image_id).image["tags"][2:] for image_id in ids] == [["x"], [], []]
    assert statuses(run(ids, "add_tags", tags=["x"], key="k")) == [200] * 3
    assert types(stores, ids[0]) == ["image.uploaded", "image.changed"]
