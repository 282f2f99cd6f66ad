"""Idempotency-Key: a repeated request is the same upload."""

import time
from collections.abc import Iterator

import pytest
from imageapi.catalog import uploads
from imageapi.storage import s3
from imageapi.sweep import run
from imageapi.uploads.create_image import undo_upload

from tests.integration.client import upload, upload_event
from tests.integration.lifecycle import delete_for_good, restore_image, trash_image
from tests.integration.stores import Configure, Stores
from tests.support import pictures
from tests.support.worker import Hook, Worker, answer_at_once, worker, workers

PICTURE = pictures.jpeg()


@pytest.fixture(scope="module")
def three(servers: Stores) -> Iterator[list[Worker]]:
    with workers(servers.environment, 3) as processes:
        yield processes


def test_same_request_twice_is_one_image(stores: Stores) -> None:
    first = upload(PICTURE, {"title": "x", "tags": ["a"]}, idempotency_key="k")
    second = upload(PICTURE, {"tags": ["a"], "title": "x"}, idempotency_key="k")

    assert (first.status, second.status) == (201, 200)
    assert second.image == first.image
    assert len(stores.rows()) == len(stores.keys()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"data": pictures.jpeg(seed="other")},
        {"metadata": {"title": "y"}},
        {"filename": "other.jpg"},
        {"on_duplicate": "return"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_key_with_another_request_is_refused(stores: Stores, change: dict[str, object]) -> None:
    request = {"data": PICTURE, "metadata": {"title": "x"}, "idempotency_key": "k"}
    upload(**request)  # type: ignore[arg-type]

    answer = upload(**request | change)  # type: ignore[arg-type]

    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert len(stores.rows()) == len(stores.keys()) == 1


@pytest.mark.parametrize("on_duplicate", ["return", "reject"])
def test_key_with_the_bytes_of_another_image_is_refused(stores: Stores, on_duplicate: str) -> None:
    other = pictures.jpeg(seed="other")
    upload(PICTURE, idempotency_key="k", on_duplicate=on_duplicate)
    upload(other)

    answer = upload(other, idempotency_key="k", on_duplicate=on_duplicate)

    assert (answer.status, answer.code) == (422, "idempotency_key_reused")


def test_without_a_key_each_request_is_an_image(stores: Stores) -> None:
    assert [upload(PICTURE).status for _ in range(2)] == [201, 201]
    assert len(stores.rows()) == len(stores.keys()) == 2


def test_keys_differ_in_every_character(stores: Stores) -> None:
    keys = ["k", "K", "k ", "k" * 255, "k" * 254]

    assert [upload(PICTURE, idempotency_key=key).status for key in keys] == [201] * len(keys)
    assert len(stores.rows()) == len(keys)


@pytest.mark.parametrize("on_duplicate", ["allow", "return", "reject"])
def test_same_request_at_once_is_one_image(stores: Stores, three: list[Worker], on_duplicate: str) -> None:
    for attempt in range(6):
        picture = pictures.jpeg(seed=attempt)
        event = upload_event(picture, idempotency_key=f"k{attempt}", on_duplicate=on_duplicate)

        answers = answer_at_once(three, event)

        assert {answer.status for answer in answers} <= {200, 201}
        assert len({answer.image["id"] for answer in answers}) == 1
        assert stores.object(answers[0].image["s3_key"])[0] == picture
        assert stores.statuses() == ["ready"] * (attempt + 1)
        assert len(stores.keys()) == attempt + 1


def test_request_sent_again_while_the_first_is_at_work(stores: Stores) -> None:
    event = upload_event(PICTURE, idempotency_key="k")
    with worker(stores.environment) as first:
        first.send(event, Hook("storage.s3.put_object", "before", action="pause"))
        first.wait_paused()
        second = upload(PICTURE, idempotency_key="k")
        first.resume()
        late = first.answer()

    assert second.status in (200, 201)
    assert late.status in (200, 201)
    assert late.image == second.image
    assert stores.statuses() == ["ready"]
    assert stores.object(second.image["s3_key"])[0] == PICTURE


@pytest.mark.parametrize("is_for_good", [False, True])
def test_the_first_request_ends_after_the_second_ones_image_is_in_the_trash(
    stores: Stores, is_for_good: bool
) -> None:
    with worker(stores.environment) as first:
        first.send(
            upload_event(PICTURE, idempotency_key="k"),
            Hook("storage.s3.put_object", "before", action="pause"),
        )
        first.wait_paused()
        image = upload(PICTURE, idempotency_key="k").image
        assert (delete_for_good if is_for_good else trash_image)(image["id"]).status == 204
        first.resume()
        late = first.answer()

    assert (late.status, late.code) == (409, "upload_interrupted")
    if is_for_good:
        assert stores.is_empty(), "the first request removes what it has stored since"
    else:
        assert restore_image(image["id"]).status == 200
        assert stores.object(image["s3_key"])[0] == PICTURE


def test_a_request_that_was_overtaken_does_not_undo_the_upload(stores: Stores) -> None:
    with worker(stores.environment) as first:
        first.send(upload_event(PICTURE), Hook("storage.s3.put_object", "before", action="pause"))
        first.wait_paused()
        (row,) = stores.rows()
        overtaken = uploads.find(str(row["id"]))
        assert overtaken
        assert uploads.take_over(overtaken["id"], 60)

        undo_upload(overtaken)

        assert stores.statuses() == ["pending"]


class CutOffError(BaseException):
    """Stops an upload like a crash: nothing in the service catches it."""


def test_upload_that_was_cut_off_is_finished_by_the_same_request(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object, **__: object) -> None:
        raise CutOffError

    with monkeypatch.context() as patch:
        patch.setattr(s3, "put_object", cut_off)
        with pytest.raises(CutOffError):
            upload(PICTURE, {"title": "x"}, idempotency_key="k")
    (pending,) = stores.rows()
    assert (pending["status"], stores.keys()) == ("pending", [])

    again = upload(PICTURE, {"title": "x"}, idempotency_key="k")

    assert again.status == 201
    assert again.image["id"] == pending["id"]
    assert stores.statuses() == ["ready"]
    assert stores.object(again.image["s3_key"])[0] == PICTURE


def test_key_is_free_again_after_a_refused_picture(stores: Stores) -> None:
    broken = pictures.truncated(pictures.noisy("JPEG"))
    assert upload(broken, idempotency_key="k").code == "image_corrupt"

    assert upload(PICTURE, idempotency_key="k").status == 201
    assert len(stores.rows()) == len(stores.keys()) == 1


def test_key_is_free_again_after_the_store_was_down(stores: Stores, configure: Configure) -> None:
    configure(MINIO_ENDPOINT_URL="http://127.0.0.1:1")
    assert upload(PICTURE, {"title": "before"}, idempotency_key="k").code == "storage_unavailable"
    configure(MINIO_ENDPOINT_URL=stores.s3.endpoint_url)

    assert upload(PICTURE, {"title": "after"}, idempotency_key="k").status == 201
    assert [image["title"] for image in stores.rows() if image["status"] == "ready"] == ["after"]


def test_key_is_forgotten_after_a_week(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "KEY_BATCH", 1)
    first = upload(PICTURE, idempotency_key="k").image
    other = upload(PICTURE, idempotency_key="l").image
    days = 86_400
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now + 6.9 * days)
        run.sweep(dry_run=False)
        assert stores.idempotency_keys() == ["k", "l"]
        patch.setattr(time, "time", lambda: now + 7.1 * days)
        run.sweep(dry_run=True)
        assert stores.idempotency_keys() == ["k", "l"]
        run.sweep(dry_run=False)
        assert stores.idempotency_keys() == []

    second = upload(PICTURE, idempotency_key="k")

    assert second.status == 201
    assert {row["id"] for row in stores.rows()} == {first["id"], other["id"], second.image["id"]}
