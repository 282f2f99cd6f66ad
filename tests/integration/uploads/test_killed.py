"""Uploads that die with kill -9 at every step.

At each step: no object lacks a row, every acknowledged upload is served byte for byte, and repeating the
request with its Idempotency-Key results in exactly one image.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.integration.client import fetch_link, get, send, upload_event
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.answers import Answer
from tests.support.events import Event
from tests.support.proxy import NetworkFault, broken_proxy
from tests.support.waiting import wait_until
from tests.support.worker import Hook, Worker, worker

PICTURE = pictures.jpeg_of_size(400_000)
BROKEN = pictures.truncated(pictures.noisy("JPEG"))


class Step(NamedTuple):
    """Where the process dies, and what exists then."""

    hook: Hook
    statuses: list[str]
    objects: int


WAYS = {"allow": "database.db.query", "reject": "database.db.transaction"}
"""Both ways to write the row: one statement, or a transaction that looks for duplicates first."""


def steps(on_duplicate: str) -> dict[str, Step]:
    """Every step of an upload that succeeds."""
    reserve = WAYS[on_duplicate]
    return {
        "before the row": Step(Hook(reserve, "before"), [], 0),
        "after the row": Step(Hook(reserve, "after"), ["pending"], 0),
        "before the put": Step(Hook("storage.s3.put_object", "before"), ["pending"], 0),
        "after the put": Step(Hook("storage.s3.put_object", "after"), ["pending"], 1),
        "before ready": Step(Hook("database.db.query_as_actor", "before"), ["pending"], 1),
        "after ready": Step(Hook("database.db.query_as_actor", "after"), ["ready"], 1),
    }


@pytest.fixture(scope="module")
def process(servers: Stores) -> Iterator[Worker]:
    with worker(servers.environment) as started:
        yield started


@pytest.mark.parametrize("step", steps("allow"))
@pytest.mark.parametrize("on_duplicate", WAYS)
def test_upload_killed(stores: Stores, process: Worker, on_duplicate: str, step: str) -> None:
    hook, statuses, objects = steps(on_duplicate)[step]
    event = upload_event(PICTURE, {"title": "x"}, idempotency_key="k", on_duplicate=on_duplicate)

    die(process, event, hook)

    assert (stores.statuses(), len(stores.keys())) == (statuses, objects)
    assert_every_object_has_a_row(stores)
    assert_only_ready_images_are_listed(stores)
    assert_same_request_makes_one_image(stores, event, expected=200 if step == "after ready" else 201)


@pytest.mark.parametrize("cut", [True, False], ids=["half of the bytes were sent", "the answer is lost"])
def test_upload_killed_during_the_put(stores: Stores, cut: bool) -> None:
    event = upload_event(PICTURE, {"title": "x"}, idempotency_key="k")
    fault = NetworkFault("stall" if cut else "mute", after=len(PICTURE) // 2)
    with (
        broken_proxy((stores.s3.host, stores.s3.port), fault) as proxy,
        worker(stores.environment | {"MINIO_ENDPOINT_URL": proxy.url}) as victim,
    ):
        victim.send(event)
        assert proxy.happened.wait(10)
        if not cut:
            wait_until(stores.keys)
        victim.kill()

    assert stores.statuses() == ["pending"]
    assert len(stores.keys()) == (0 if cut else 1)
    assert_every_object_has_a_row(stores)
    assert_only_ready_images_are_listed(stores)
    assert_same_request_makes_one_image(stores, event, expected=201)


def test_upload_killed_again_and_again_is_one_image(stores: Stores, process: Worker) -> None:
    event = upload_event(PICTURE, {"title": "x"}, idempotency_key="k")
    # From the second time on, key and pending row are looked up between the attempted insert and the put.
    attempts = [
        (Hook("database.db.query", "after", 1), "pending"),
        (Hook("database.db.query", "after", 2), "pending"),
        (Hook("database.db.query", "after", 3), "pending"),
        (Hook("storage.s3.put_object", "before"), "pending"),
        (Hook("storage.s3.put_object", "after"), "pending"),
        (Hook("database.db.query_as_actor", "before"), "pending"),
        (Hook("database.db.query_as_actor", "after"), "ready"),
    ]

    for hook, status in attempts:
        die(process, event, hook)
        assert stores.statuses() == [status]
        assert_every_object_has_a_row(stores)

    assert_same_request_makes_one_image(stores, event, expected=200)


UNDOING = {
    "before the upload has failed": Hook("database.db.query", "before", 2),
    "after the upload has failed": Hook("database.db.query", "after", 2),
    "before the object is gone": Hook("storage.s3.delete_objects", "before"),
    "after the object is gone": Hook("storage.s3.delete_objects", "after"),
}


@pytest.mark.parametrize("step", UNDOING)
def test_refusal_killed_while_it_is_undone(stores: Stores, process: Worker, step: str) -> None:
    event = upload_event(BROKEN, idempotency_key="k")

    die(process, event, UNDOING[step])

    assert stores.statuses() in (["pending"], ["failed"])
    assert_every_object_has_a_row(stores)
    assert_only_ready_images_are_listed(stores)
    assert send(event).code == "image_corrupt"
    assert_every_object_has_a_row(stores)
    assert_same_request_makes_one_image(stores, upload_event(PICTURE, idempotency_key="k"), expected=201)


def test_acknowledged_images_survive_the_death_of_both_servers(stores: Stores) -> None:
    answers = [send(upload_event(pictures.jpeg_of_size(100_000 + n))) for n in range(5)]

    for server in (stores.postgres, stores.s3):
        server.kill()
        server.start()

    listed = get("/api/images").body["images"]
    assert [image["id"] for image in listed] == [answer.image["id"] for answer in answers][::-1]
    for n, answer in enumerate(answers):
        assert_served(stores, answer, pictures.jpeg_of_size(100_000 + n))


def die(process: Worker, event: Event, hook: Hook) -> None:
    process.send(event, hook)
    process.wait_killed()


def assert_every_object_has_a_row(stores: Stores) -> None:
    assert set(stores.keys()) <= {row["s3_key"] for row in stores.rows()}


def assert_only_ready_images_are_listed(stores: Stores) -> None:
    ready = {str(row["id"]) for row in stores.rows() if row["status"] == "ready"}
    assert {image["id"] for image in get("/api/images").body["images"]} == ready


def assert_same_request_makes_one_image(stores: Stores, event: Event, *, expected: int) -> None:
    answers = [send(event), send(event)]

    assert [answer.status for answer in answers] == [expected, 200]
    assert stores.idempotency_keys() == ["k"]
    assert [image["id"] for image in get("/api/images").body["images"]] == [answers[0].image["id"]]
    assert_served(stores, answers[1], PICTURE)
    assert_every_object_has_a_row(stores)


def assert_served(stores: Stores, answer: Answer, data: bytes) -> None:
    assert stores.object(answer.image["s3_key"])[0] == data
    assert fetch_link(answer.image["urls"]["original"]) == data
