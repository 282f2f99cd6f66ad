"""Idempotency-Key: a repeated request is executed once. Each API key has its own idempotency keys."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from imageapi.catalog import uploads
from imageapi.sweep import run
from imageapi.uploads.undo import undo_upload

from tests.integration.client import send, upload, upload_event
from tests.integration.key_requests import make_key
from tests.integration.lifecycle import (
    announce,
    announce_event,
    complete,
    delete_for_good,
    post_file,
    restore_image,
    trash_image,
)
from tests.integration.stores import Configure, Stores
from tests.support import pictures
from tests.support.events import API_KEY, Event
from tests.support.worker import answer_at_once, workers

PICTURE = pictures.jpeg()
OTHER = pictures.jpeg(seed="other")


@pytest.mark.parametrize("on_duplicate", ["return", "reject"])
def test_key_with_another_request_is_refused(stores: Stores, on_duplicate: str) -> None:
    """The request is refused even if its bytes are those of an image."""
    upload(PICTURE, on_duplicate=on_duplicate, idempotency_key="k")
    upload(OTHER)

    for answer in (
        upload(OTHER, on_duplicate=on_duplicate, idempotency_key="k"),
        upload(PICTURE, {"title": "y"}, on_duplicate=on_duplicate, idempotency_key="k"),
    ):
        assert answer.error == (422, "idempotency_key_reused")
    assert len(stores.rows()) == len(stores.keys()) == 2


def test_an_announcement_again_is_the_same_upload(stores: Stores) -> None:
    first, second = announce(PICTURE, "k"), announce(PICTURE, "k")

    assert [first.status, second.status] == [201, 200]
    assert first.body["data"]["id"] == second.body["data"]["id"]
    assert post_file(second.body["data"]["form"], PICTURE) < 300
    image = complete(first.body["data"]["id"]).image

    third = announce(PICTURE, "k")
    assert (third.status, third.body["data"]["id"], third.body["data"]["form"]) == (200, image["id"], None)
    for other in (
        announce(PICTURE, "k", filename="b.jpg"),
        announce(PICTURE, "k", metadata={"title": "x"}),
        announce(PICTURE + b"1", "k"),
        upload(PICTURE, idempotency_key="k"),
    ):
        assert other.error == (422, "idempotency_key_reused")
    assert announce(PICTURE, "é").code == "parameter_invalid"
    assert len(stores.rows()) == 1


def test_keys_differ_in_every_character(stores: Stores) -> None:
    keys = ["k", "K", "k ", "k" * 255, "k" * 254]

    assert [upload(PICTURE, idempotency_key=key).status for key in keys] == [201] * len(keys)
    assert len(stores.rows()) == len(keys)


@pytest.mark.parametrize("on_duplicate", ["allow", "return", "reject"])
def test_same_request_at_once_is_one_image(stores: Stores, on_duplicate: str) -> None:
    with workers(stores.environment, 3) as three:
        for attempt in range(6):
            picture = pictures.jpeg(seed=attempt)
            event = upload_event(picture, idempotency_key=f"k{attempt}", on_duplicate=on_duplicate)

            answers = answer_at_once(three, event)

            assert {answer.status for answer in answers} <= {200, 201}
            assert len({answer.image["id"] for answer in answers}) == 1
            assert stores.object(answers[0].image["s3_key"])[0] == picture
            assert stores.statuses() == ["ready"] * (attempt + 1)
            assert len(stores.keys()) == attempt + 1


@pytest.mark.parametrize("remove", [None, trash_image, delete_for_good])
def test_a_first_request_that_ends_after_the_second(stores: Stores, remove: Any) -> None:
    """Meanwhile, the second one's image may have been removed."""
    event = upload_event(PICTURE, idempotency_key="k")
    with stores.paused_at(event, "storage.s3.put_object", "before") as first:
        second = upload(PICTURE, idempotency_key="k")
        if remove:
            assert remove(second.image["id"]).status == 204
        late = first.finish()

    if remove:
        assert late.error == (409, "upload_interrupted")
    else:
        assert (late.status, late.image) == (200, second.image)
    if remove is trash_image:
        assert restore_image(second.image["id"]).status == 200
    assert stores.statuses() == ([] if remove is delete_for_good else ["ready"])
    assert stores.keys() == [row["s3_key"] for row in stores.rows()]
    for row in stores.rows():
        assert stores.object(row["s3_key"])[0] == PICTURE


def test_a_request_that_was_overtaken_does_not_undo_the_upload(stores: Stores) -> None:
    with stores.paused_at(upload_event(PICTURE), "storage.s3.put_object", "before"):
        (row,) = stores.rows()
        overtaken = uploads.find(str(row["id"]))
        assert overtaken
        assert uploads.take_over(overtaken["id"], 60)

        undo_upload(overtaken)

        assert stores.statuses() == ["pending"]


def test_key_is_free_again_when_its_upload_or_its_image_is_gone(stores: Stores, configure: Configure) -> None:
    configure(MINIO_ENDPOINT_URL="http://127.0.0.1:1")
    assert upload(PICTURE, {"title": "before"}, idempotency_key="k").code == "storage_unavailable"
    configure(MINIO_ENDPOINT_URL=stores.s3.endpoint_url)

    first = upload(PICTURE, {"title": "after"}, idempotency_key="k")
    assert (first.status, first.image["title"]) == (201, "after")
    trash_image(first.image["id"])
    assert stores.idempotency_keys() == []
    second = upload(PICTURE, idempotency_key="k")
    assert (second.status, second.image["id"] != first.image["id"]) == (201, True)
    assert restore_image(first.image["id"]).status == 200
    assert upload(PICTURE, idempotency_key="k").image["id"] == second.image["id"]


def test_key_is_forgotten_after_a_week(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "KEY_BATCH", 1)
    for key in ("k", "l"):
        upload(PICTURE, idempotency_key=key)
    now, days = time.time(), 86_400
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now + 6.9 * days)
        run.sweep(dry_run=False)
        assert stores.idempotency_keys() == ["k", "l"]
        patch.setattr(time, "time", lambda: now + 7.1 * days)
        run.sweep(dry_run=True)
        assert stores.idempotency_keys() == ["k", "l"]
        run.sweep(dry_run=False)
        assert stores.idempotency_keys() == []

    assert upload(PICTURE, idempotency_key="k").status == 201
    assert len(stores.rows()) == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: announce_event(PICTURE, "k"),
        lambda: upload_event(PICTURE, idempotency_key="k"),
        lambda: upload_event(PICTURE, idempotency_key="k", on_duplicate="allow"),
    ],
    ids=["announce", "upload", "allow"],
)
def test_the_same_one_of_two_keys_is_two_uploads(stores: Stores, make: Callable[[], Event]) -> None:
    first, second = (make_key("images:read", "images:write") for _ in range(2))

    def ask(key: str) -> tuple[int, str]:
        answer = send(make() | {"headers": make()["headers"] | {"X-API-Key": key}})
        return answer.status, answer.body["data"]["id"]

    keys = [first["key"], second["key"], API_KEY]
    made, again = [ask(key) for key in keys], [ask(key) for key in keys]

    assert [status for status, _ in made] == [201] * 3
    assert again == [(200, image_id) for _, image_id in made]
    assert len({image_id for _, image_id in made}) == 3
    assert set(stores.idempotency_keys()) == {f"{first['id']}\nk", f"{second['id']}\nk", "k"}
    forged = send(upload_event(PICTURE, idempotency_key=f"{first['id']}\nk"))
    assert forged.error == (400, "parameter_invalid")
