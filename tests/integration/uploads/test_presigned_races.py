"""Presigned uploads completed concurrently, or during another post."""

import sys
from contextlib import suppress
from typing import Any
from unittest.mock import patch

import pytest
from imageapi.catalog import images, uploads
from imageapi.database import db
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
)
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.answers import Answer
from tests.support.worker import Hook, answer_at_once, worker, workers

PICTURE = pictures.camera_jpeg()
OTHER = pictures.jpeg_of_size(len(PICTURE), seed="other")


def test_announced_and_completed_by_several_at_once_is_one_image_once(stores: Stores) -> None:
    with workers(stores.environment, 4) as processes:
        for seed in range(4):
            data = pictures.jpeg(seed=seed)
            announced = answer_at_once(processes, announce_event(data, f"key-{seed}"))
            assert sorted(answer.status for answer in announced) == [200, 200, 200, 201]
            (image_id,) = {answer.body["data"]["id"] for answer in announced}
            assert post_file(announced[0].body["data"]["form"], data) < 300

            answers = answer_at_once(processes, complete_event(image_id))

            assert {answer.status for answer in answers} <= {200, 201}
            assert 201 in [answer.status for answer in answers]
            assert len({str(answer.image | {"urls": None}) for answer in answers}) == 1
            assert fetch(answers[0].image["urls"]["original"]).data == data
    assert stores.statuses() == ["ready"] * 4
    assert stores.keys() == sorted(row["s3_key"] for row in stores.rows())


@pytest.mark.parametrize("target", ["storage.s3.download", "storage.s3.put_object", "catalog.images.insert"])
def test_an_event_in_the_middle_of_a_completion_waits_for_it(stores: Stores, target: str) -> None:
    image_id = announce_and_post(PICTURE)
    with (
        stores.paused_at(complete_event(image_id), target, "before") as process,
        worker(stores.environment) as event,
    ):
        sees_the_lease = Hook("catalog.uploads.find", "after", 2, "pause")
        event.send(arrived(image_id), sees_the_lease, function="UploadFunction")
        event.wait_paused()
        answer = process.finish()
        event.resume()
        assert event.read_response()["completed"] == [image_id]

    assert answer.status == 201
    assert_one_file(stores, [answer], PICTURE)


def test_an_event_is_sent_again_when_the_holder_of_the_lease_has_died(stores: Stores) -> None:
    image_id = announce_and_post(PICTURE)
    die(stores, complete_event(image_id), "storage.s3.put_object", "after")
    outcome = ingest(image_id)
    assert outcome["unfinished"] == {image_id: "upload_in_progress"}
    assert outcome["batchItemFailures"] == [{"itemIdentifier": "1"}]

    expire(stores)
    assert ingest(image_id)["completed"] == [image_id]


def test_an_upload_that_becomes_an_image_between_two_questions_is_not_lost(stores: Stores) -> None:
    """A process that lost its lease looks for the outcome. It must find the image."""
    image_id = announce_and_post(PICTURE)
    overtaken = uploads.acquire_lease(image_id, lease_seconds=60)
    assert overtaken
    expire(stores)
    asked: list[str] = []

    def then_be_overtaken(find: Any) -> Any:
        def ask(upload_id: str) -> db.Row | None:
            found: db.Row | None = find(upload_id)
            asked.append(upload_id)
            if len(asked) == 1:
                assert complete(image_id).status == 201
            return found

        return patch.object(sys.modules[find.__module__], "find", ask)

    with then_be_overtaken(uploads.find), then_be_overtaken(images.find), suppress(UploadInProgressError):
        find_outcome({**overtaken, "s3_key": f"originals/{image_id}.jpg"})

    assert asked
    assert stores.keys() == [row["s3_key"] for row in stores.rows()]
    assert fetch(get_image(image_id).image["urls"]["original"]).data == PICTURE


def test_a_post_after_completion_does_not_change_the_image(stores: Stores) -> None:
    ticket = announce(PICTURE).body["data"]
    post_file(ticket["form"], PICTURE)
    image = complete(ticket["id"]).image

    assert post_file(ticket["form"], OTHER) < 300

    again = complete(ticket["id"])
    assert (again.status, again.image["sha256"]) == (200, image["sha256"])
    ingest(ticket["id"])
    assert fetch(image["urls"]["original"]).data == PICTURE
    assert stores.keys() == [image["s3_key"]], "the second file is removed"


@pytest.mark.parametrize("change", ["metadata - 'category'", """metadata || '{"of_newer_code": ["x"]}'"""])
def test_completed_by_code_with_other_fields(stores: Stores, change: str) -> None:
    """A deploy or its rollback happened between the registration and the file."""
    image_id = announce_and_post(PICTURE)
    stores.execute(f"UPDATE uploads SET metadata = {change}")

    answer = complete(image_id)

    assert (answer.status, answer.image["category"]) == (201, "")


DOWNLOADED = Hook("storage.s3.download", "after", 1, "pause")
DECIDED = [Hook(name, "before", 1, "pause") for name in ("storage.s3.put_object", "catalog.images.insert")]


@pytest.mark.parametrize(
    ("hook", "second_file", "outcome"),
    [
        (DOWNLOADED, OTHER, [(201, OTHER), (200, OTHER)]),
        *((hook, PICTURE, [(201, PICTURE), (200, PICTURE)]) for hook in DECIDED),
        *((hook, OTHER, [(422, "sha256_mismatch"), (409, "upload_interrupted")]) for hook in DECIDED),
    ],
)
def test_who_is_overtaken_never_mixes_two_files(
    stores: Stores, hook: Hook, second_file: bytes, outcome: list[tuple[int, Any]]
) -> None:
    """While the first request is paused, another file is posted, and a second request takes over.

    ``outcome`` lists the responses of the second and of the first.
    """
    ticket = announce(PICTURE).body["data"]
    post_file(ticket["form"], PICTURE)
    with workers(stores.environment, 2) as (first, second):
        first.send(complete_event(ticket["id"]), hook)
        first.wait_paused()
        stores.execute("UPDATE uploads SET lease_until = now() - interval '1 second'")
        post_file(ticket["form"], second_file)
        second.send(complete_event(ticket["id"]))
        answers = [second.answer(), first.finish()]

    if outcome[0][0] == 201:
        assert [answer.status for answer in answers] == [status for status, _ in outcome]
        assert_one_file(stores, answers, outcome[0][1])
    else:
        assert [answer.error for answer in answers] == outcome
        assert (stores.statuses(), stores.keys()) == (["failed"], [])


def test_a_post_in_the_middle_of_a_completion_does_not_change_the_image(stores: Stores) -> None:
    bad = pictures.truncated(PICTURE).ljust(len(PICTURE), b"\0")
    ticket = announce(PICTURE).body["data"]
    post_file(ticket["form"], PICTURE)
    with stores.paused_at(complete_event(ticket["id"]), "storage.s3.put_object", "before") as process:
        post_file(ticket["form"], bad)
        late = complete(ticket["id"])
        assert (late.error, late.headers["retry-after"]) == ((409, "upload_in_progress"), ["2"])
        answer = process.finish()

    assert answer.status == 201
    assert_one_file(stores, [answer], PICTURE)


def assert_one_file(stores: Stores, answers: list[Answer], data: bytes) -> None:
    """All responses and the store agree on these bytes."""
    images = [*(answer.image for answer in answers), get_image(answers[0].image["id"]).image]
    assert len({image["sha256"] for image in images}) == 1
    assert fetch(images[0]["urls"]["original"]).data == data
    expire(stores)
    sweep()
    assert stores.keys() == [images[0]["s3_key"]]
