"""Presigned uploads completed by several at once, against another post, or with a store that fails."""

import hashlib
from typing import Any

import pytest
from imageapi import storage
from imageapi.errors import StorageUnavailableError

from tests.integration.client import Answer
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
from tests.integration.worker import Hook, answer_at_once, worker, workers
from tests.support import pictures

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


@pytest.mark.parametrize("target", ["storage.download", "storage.copy_object", "rows.mark_ready"])
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


@pytest.mark.parametrize("target", ["storage.copy_object", "rows.mark_ready"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_post_in_the_middle_of_a_completion_does_not_mix_two_files(
    stores: Stores, target: str, when: Any
) -> None:
    other = pictures.jpeg_of_size(len(PICTURE), seed="other")
    ticket = announce(PICTURE).body["data"]
    post_file(ticket["form"], PICTURE)
    with workers(stores.environment, 2) as (first, second):
        first.send(complete_event(ticket["id"]), Hook("rows.mark_ready", "before", 1, "pause"))
        first.wait_paused()
        post_file(ticket["form"], other)
        # A second completion reads the other file while the first is between copy and row.
        second.send(complete_event(ticket["id"]), Hook(target, when, 1, "pause"))
        second.wait_paused()
        first.resume()
        answers = [first.answer()]
        second.resume()
        answers.append(second.answer())

    assert_one_file(stores, ticket["id"], answers, [PICTURE, other])


def assert_one_file(stores: Stores, image_id: str, answers: list[Answer], files: list[bytes]) -> None:
    """What the row says is what the object holds, whichever of the files it is."""
    image = get_image(image_id).image
    data = fetch(image["urls"]["original"]).data
    assert data in files
    assert image["sha256"] == hashlib.sha256(data).hexdigest()
    for answer in answers:
        assert answer.status in (200, 201, 409)
        if answer.status == 201:
            assert answer.image["sha256"] == image["sha256"]


@pytest.mark.parametrize("target", ["download", "copy_object", "delete_objects"])
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
