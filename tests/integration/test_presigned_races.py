"""Presigned uploads completed by several at once, against another post, or with a store that fails."""

import hashlib
from typing import Any

import pytest
from imageapi import imaging, storage
from imageapi.errors import StorageUnavailableError

from tests.integration.client import upload
from tests.integration.leftovers import expire
from tests.integration.lifecycle import (
    announce,
    announce_and_post,
    announce_event,
    complete,
    complete_event,
    fetch,
    get_image,
    ingest,
    post_file,
    sweep,
)
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.answers import Answer
from tests.support.worker import Hook, answer_at_once, worker, workers

PICTURE = pictures.camera_jpeg()


def test_announcements_at_once_with_one_key_are_one_upload(stores: Stores) -> None:
    with workers(stores.environment, 4) as processes:
        answers = answer_at_once(processes, announce_event(PICTURE, "key-1"))

    assert sorted(answer.status for answer in answers) == [200, 200, 200, 201]
    assert len({answer.body["data"]["id"] for answer in answers}) == 1
    assert len(stores.rows()) == 1


def test_completed_by_several_at_once_is_one_image_once(stores: Stores) -> None:
    with workers(stores.environment, 4) as processes:
        for seed in range(4):
            data = pictures.jpeg(seed=seed)
            image_id = announce_and_post(data)
            answers = answer_at_once(processes, complete_event(image_id))

            assert {answer.status for answer in answers} <= {200, 201}
            assert 201 in [answer.status for answer in answers]
            assert len({str(answer.image | {"urls": None}) for answer in answers}) == 1
            assert fetch(answers[0].image["urls"]["original"]).data == data
    assert stores.statuses() == ["ready"] * 4
    assert stores.keys() == sorted(row["s3_key"] for row in stores.rows())


@pytest.mark.parametrize("target", ["storage.download", "storage.put_object", "rows.mark_ready"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_completed_by_the_event_in_the_middle_of_a_completion(stores: Stores, target: str, when: Any) -> None:
    image_id = announce_and_post(PICTURE)
    with worker(stores.environment) as process:
        process.send(complete_event(image_id), Hook(target, when, 1, "pause"))
        process.wait_paused()
        assert ingest(image_id) == {"completed": [image_id], "refused": {}}
        process.resume()
        answer = process.answer()

    assert answer.status in (200, 201)
    assert stores.statuses() == ["ready"]
    assert stores.keys() == [answer.image["s3_key"]]
    assert fetch(answer.image["urls"]["original"]).data == PICTURE


def test_a_post_after_completion_does_not_change_the_image(stores: Stores) -> None:
    other = pictures.jpeg_of_size(len(PICTURE), seed="other")
    ticket = announce(PICTURE).body["data"]
    post_file(ticket["form"], PICTURE)
    image = complete(ticket["id"]).image

    assert post_file(ticket["form"], other) < 300

    assert fetch(image["urls"]["original"]).data == PICTURE
    again = complete(ticket["id"])
    assert (again.status, again.image["sha256"]) == (200, image["sha256"])
    ingest(ticket["id"])
    assert fetch(image["urls"]["original"]).data == PICTURE
    assert sweep()["orphan_keys"] == [f"incoming/{image['id']}"]
    assert stores.keys() == [image["s3_key"]]


OTHER = pictures.jpeg_of_size(len(PICTURE), seed="other")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_posts_that_were_both_read_are_one_file(stores: Stores, order: tuple[int, int]) -> None:
    ticket = announce(PICTURE).body["data"]
    event = complete_event(ticket["id"])
    with workers(stores.environment, 2) as processes:
        for process, data in zip(processes, (PICTURE, OTHER), strict=True):
            post_file(ticket["form"], data)
            process.send(event, Hook("storage.download", "after", 1, "pause"))
            process.wait_paused()
        answers = []
        for turn in order:
            processes[turn].resume()
            answers.append(processes[turn].answer())

    assert [answer.status for answer in answers] == [201, 200]
    assert_one_file(stores, answers, (PICTURE, OTHER)[order[0]])


@pytest.mark.parametrize(
    ("target", "when"),
    [("storage.put_object", "before"), ("storage.put_object", "after"), ("rows.mark_ready", "before")],
)
def test_a_post_in_the_middle_of_a_completion(stores: Stores, target: str, when: Any) -> None:
    ticket = announce(PICTURE).body["data"]
    event = complete_event(ticket["id"])
    with workers(stores.environment, 2) as (first, second):
        # Both have seen the row before one of them decides what the image is.
        second.send(event, Hook("storage.download", "before", 1, "pause"))
        second.wait_paused()
        post_file(ticket["form"], PICTURE)
        first.send(event, Hook(target, when, 1, "pause"))
        first.wait_paused()
        post_file(ticket["form"], OTHER)
        second.resume()
        late = second.answer()
        first.resume()
        answer = first.answer()

    assert (late.status, late.code) == (409, "upload_not_arrived")
    assert answer.status == 201
    assert_one_file(stores, [answer], PICTURE)


def test_another_file_after_the_decision_is_never_mixed_in(stores: Stores) -> None:
    ticket = announce(PICTURE).body["data"]
    event = complete_event(ticket["id"])
    post_file(ticket["form"], PICTURE)
    with workers(stores.environment, 2) as (first, second):
        first.send(event, Hook("rows.mark_ready", "before", 1, "pause"))
        first.wait_paused()
        post_file(ticket["form"], OTHER)
        second.send(event)
        late = second.answer()
        first.resume()
        answer = first.answer()

    assert late.status in (409, 422)
    assert answer.status in (201, 409)
    if answer.status == 201:
        assert_one_file(stores, [answer], PICTURE)
    else:
        expire(stores)
        sweep()
        assert stores.is_empty()


def test_a_bad_file_after_the_decision_is_as_if_it_had_not_arrived(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form is used again while the good file is being put."""
    bad = pictures.truncated(PICTURE).ljust(len(PICTURE), b"\0")
    ticket = announce(PICTURE).body["data"]
    post_file(ticket["form"], PICTURE)
    put_object = storage.put_object
    late: list[Answer] = []

    def put_after_another_file(*args: Any, **options: Any) -> None:
        monkeypatch.setattr(storage, "put_object", put_object)
        post_file(ticket["form"], bad)
        late.append(complete(ticket["id"]))
        put_object(*args, **options)

    monkeypatch.setattr(storage, "put_object", put_after_another_file)
    answer = complete(ticket["id"])

    assert [(each.status, each.code) for each in late] == [(409, "upload_not_arrived")]
    assert answer.status == 201
    assert_one_file(stores, [answer], PICTURE)


def test_a_bad_file_that_two_have_read_is_refused_for_both(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = announce_and_post(pictures.truncated(pictures.noisy("JPEG")))
    inspect = imaging.inspect
    twin: list[Answer] = []

    def inspect_after_twin(*args: Any) -> imaging.Picture:
        monkeypatch.setattr(imaging, "inspect", inspect)
        twin.append(complete(image_id))
        return inspect(*args)

    monkeypatch.setattr(imaging, "inspect", inspect_after_twin)
    answer = complete(image_id)

    assert [(each.status, each.code) for each in (answer, *twin)] == [(422, "image_corrupt")] * 2
    assert stores.statuses() == ["failed"]
    assert stores.keys() == []


def assert_one_file(stores: Stores, answers: list[Answer], data: bytes) -> None:
    """Everybody was told of these bytes, and they are what is there."""
    digest = hashlib.sha256(data).hexdigest()
    for image in [*(answer.image for answer in answers), get_image(answers[0].image["id"]).image]:
        assert image["sha256"] == digest
        assert fetch(image["urls"]["original"]).data == data
    expire(stores)
    sweep()
    assert stores.keys() == [answers[0].image["s3_key"]]


def test_a_file_that_could_not_be_stored_is_not_long_in_the_way(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise StorageUnavailableError()

    image_id = announce_and_post(PICTURE)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "put_object", fail)
        assert complete(image_id).status == 503

    assert upload(PICTURE, on_duplicate="return").code == "upload_in_progress"
    # Twice the Timeout of ingest, after which nobody can be at it any more.
    stores.execute("UPDATE image_metadata SET sweep_after = sweep_after - interval '241 seconds'")
    sweep()
    assert upload(PICTURE, on_duplicate="return").image["id"] == image_id


@pytest.mark.parametrize("target", ["download", "put_object", "delete_objects"])
def test_a_store_that_fails_on_the_way(stores: Stores, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise StorageUnavailableError()

    image_id = announce_and_post(PICTURE)
    with monkeypatch.context() as patch:
        patch.setattr(storage, target, fail)
        answer = complete(image_id)
        assert (answer.status, answer.code) == (503, "storage_unavailable")
        if target != "delete_objects":  # by then the image is ready
            with pytest.raises(StorageUnavailableError):
                ingest(image_id)

    answer = complete(image_id)
    assert answer.status == (200 if target == "delete_objects" else 201)
    assert fetch(answer.image["urls"]["original"]).data == PICTURE
