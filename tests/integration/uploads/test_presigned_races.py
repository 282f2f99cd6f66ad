"""Presigned uploads completed concurrently, or during another post."""

import hashlib
import time
from contextlib import suppress
from typing import Any

import pytest
from imageapi.catalog import images, uploads
from imageapi.database import db
from imageapi.storage import s3
from imageapi.uploads import complete as completing
from imageapi.uploads.complete import MAX_ATTEMPTS
from imageapi.uploads.create_image import UploadInProgressError, find_outcome

from tests.integration.leftovers import die, expire
from tests.integration.lifecycle import (
    announce,
    announce_and_post,
    announce_event,
    arrived,
    complete,
    complete_event,
    fetch,
    get_image,
    ingest,
    post_file,
    sweep,
    watch_keys,
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


STEPS = ["storage.s3.download", "storage.s3.put_object", "catalog.images.insert"]


@pytest.mark.parametrize("target", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_event_in_the_middle_of_a_completion_waits_for_it(stores: Stores, target: str, when: Any) -> None:
    image_id = announce_and_post(PICTURE)
    with workers(stores.environment, 2) as (process, event):
        process.send(complete_event(image_id), Hook(target, when, 1, "pause"))
        process.wait_paused()
        # Its hook would kill it if it downloaded the file.
        event.send(arrived(image_id), Hook("storage.s3.download", "before"), function="IngestFunction")
        time.sleep(0.3)
        process.resume()
        answer = process.answer()
        assert event.read_response() == {"completed": [image_id], "refused": {}}

    assert answer.status == 201
    assert stores.statuses() == ["ready"]
    assert stores.keys() == [answer.image["s3_key"]]
    assert fetch(answer.image["urls"]["original"]).data == PICTURE


def test_an_event_is_sent_again_when_whoever_was_at_work_has_died(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = announce_and_post(PICTURE)
    with worker(stores.environment) as process:
        process.send(complete_event(image_id), Hook("storage.s3.put_object", "after"))
        process.wait_killed()
    monkeypatch.setattr(completing, "EVENT_WAIT_SECONDS", 0.2)

    with pytest.raises(UploadInProgressError):  # which Lambda treats as a failure
        ingest(image_id)

    expire(stores)
    assert ingest(image_id) == {"completed": [image_id], "refused": {}}


def test_an_upload_that_becomes_an_image_between_two_questions_is_not_lost(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that lost its lease looks for the outcome, and must not conclude that there is none."""
    image_id = announce_and_post(PICTURE)
    overtaken = uploads.acquire_lease(image_id, lease_seconds=60)
    assert overtaken
    expire(stores)
    asked: list[str] = []

    def ask_and_be_overtaken(module: Any) -> None:
        find = module.find

        def ask(upload_id: str) -> db.Row | None:
            found: db.Row | None = find(upload_id)
            asked.append(module.__name__)
            if len(asked) == 1:
                assert complete(image_id).status == 201
            return found

        monkeypatch.setattr(module, "find", ask)

    ask_and_be_overtaken(uploads)
    ask_and_be_overtaken(images)

    with suppress(UploadInProgressError):
        find_outcome({**overtaken, "s3_key": f"originals/{image_id}.jpg"})

    assert asked
    assert stores.keys() == [row["s3_key"] for row in stores.rows()]
    assert fetch(get_image(image_id).image["urls"]["original"]).data == PICTURE


@pytest.mark.parametrize("target", STEPS)
def test_a_completion_waits_for_another_one(stores: Stores, target: str) -> None:
    image_id = announce_and_post(PICTURE)
    with workers(stores.environment, 2) as (first, second):
        first.send(complete_event(image_id), Hook(target, "before", 1, "pause"))
        first.wait_paused()
        second.send(complete_event(image_id))
        first.resume()

        assert (first.answer().status, second.answer().status) == (201, 200)


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
    assert stores.keys() == [image["s3_key"]], "the second file is removed"


@pytest.mark.parametrize(
    "change", ["metadata - 'category'", """metadata || '{"of_newer_code": ["x"]}'"""], ids=["older", "newer"]
)
def test_completed_by_code_with_other_fields(stores: Stores, change: str) -> None:
    """A deploy, or its rollback, came between the announcement and the file."""
    image_id = announce_and_post(PICTURE)
    stores.execute(f"UPDATE uploads SET metadata = {change}")

    answer = complete(image_id)

    assert (answer.status, answer.image["category"]) == (201, "")


OTHER = pictures.jpeg_of_size(len(PICTURE), seed="other")


def expire_lease(stores: Stores) -> None:
    stores.execute("UPDATE uploads SET lease_until = now() - interval '1 second'")


def overtake(stores: Stores, hook: Hook, other: bytes | None = None) -> list[Answer]:
    """Complete one upload twice: the second overtakes the first, which has been paused at the hook.

    Args:
        other: the file that is posted in between.

    Returns:
        The second answer, which comes first, and then the first.
    """
    ticket = announce(PICTURE).body["data"]
    event = complete_event(ticket["id"])
    post_file(ticket["form"], PICTURE)
    with workers(stores.environment, 2) as (first, second):
        first.send(event, hook)
        first.wait_paused()
        expire_lease(stores)
        if other:
            post_file(ticket["form"], other)
        second.send(event)
        answers = [second.answer()]
        first.resume()
        return [*answers, first.answer()]


def test_who_was_overtaken_before_it_decided_answers_with_the_other_file(stores: Stores) -> None:
    answers = overtake(stores, Hook("storage.s3.download", "after", 1, "pause"), OTHER)

    assert [answer.status for answer in answers] == [201, 200]
    assert_one_file(stores, answers, OTHER)


@pytest.mark.parametrize("target", ["storage.s3.put_object", "catalog.images.insert"])
def test_who_was_overtaken_by_the_same_file_answers_with_it(stores: Stores, target: str) -> None:
    answers = overtake(stores, Hook(target, "before", 1, "pause"))

    assert [answer.status for answer in answers] == [201, 200]
    assert_one_file(stores, answers, PICTURE)


@pytest.mark.parametrize("target", ["storage.s3.put_object", "catalog.images.insert"])
def test_another_file_after_the_decision_is_never_mixed_in(stores: Stores, target: str) -> None:
    late, answer = overtake(stores, Hook(target, "before", 1, "pause"), OTHER)

    assert (late.status, late.code) == (422, "sha256_mismatch")
    assert (answer.status, answer.code) == (409, "upload_interrupted")
    assert stores.statuses() == ["failed"]
    assert stores.keys() == []


def test_a_post_in_the_middle_of_a_completion_does_not_change_the_image(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = pictures.truncated(PICTURE).ljust(len(PICTURE), b"\0")
    ticket = announce(PICTURE).body["data"]
    post_file(ticket["form"], PICTURE)
    put_object = s3.put_object
    late: list[Answer] = []

    def put_after_another_file(*args: Any, **options: Any) -> None:
        monkeypatch.setattr(s3, "put_object", put_object)
        post_file(ticket["form"], bad)
        late.append(complete(ticket["id"]))
        put_object(*args, **options)

    monkeypatch.setattr(s3, "put_object", put_after_another_file)
    answer = complete(ticket["id"])

    assert [(each.status, each.code, each.headers["retry-after"]) for each in late] == [
        (409, "upload_in_progress", ["2"])
    ]
    assert answer.status == 201
    assert_one_file(stores, [answer], PICTURE)


@pytest.mark.parametrize("way", ["complete", "event"])
def test_what_ends_every_attempt_is_refused_without_another_one(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A form that is posted repeatedly, each time with an event, costs at most three decodes."""
    image_id = announce_and_post(PICTURE)
    for _ in range(MAX_ATTEMPTS):
        die(stores, complete_event(image_id), "storage.s3.download", "after")
        expire_lease(stores)
    downloads = watch_keys(monkeypatch, "download")

    if way == "event":
        assert ingest(image_id) == {"completed": [], "refused": {image_id: "image_too_complex"}}
    for _ in range(2):
        answer = complete(image_id)
        assert (answer.status, answer.code) == (422, "image_too_complex")

    assert downloads == []
    assert (stores.statuses(), stores.keys()) == (["failed"], [])


def assert_one_file(stores: Stores, answers: list[Answer], data: bytes) -> None:
    """All responses and the store agree on these bytes."""
    digest = hashlib.sha256(data).hexdigest()
    for image in [*(answer.image for answer in answers), get_image(answers[0].image["id"]).image]:
        assert image["sha256"] == digest
        assert fetch(image["urls"]["original"]).data == data
    expire(stores)
    sweep()
    assert stores.keys() == [answers[0].image["s3_key"]]
