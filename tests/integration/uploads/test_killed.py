"""Uploads that are killed with kill -9 at every step.

At each step, every object has a row, and every acknowledged upload is served byte for byte. A repeated
request with its Idempotency-Key results in exactly one image.
"""

import pytest

from tests.integration.client import get, send, upload_event
from tests.integration.leftovers import die
from tests.integration.lifecycle import fetch
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.events import Event
from tests.support.proxy import NetworkFault, broken_proxy
from tests.support.waiting import wait_until
from tests.support.worker import worker

PICTURE = pictures.jpeg_of_size(400_000)
BROKEN = pictures.truncated(pictures.noisy("JPEG"))
PUT, READY, REMOVE = "storage.s3.put_object", "database.db.query_as_actor", "storage.s3.delete_objects"


@pytest.mark.parametrize(
    ("target", "when", "statuses", "objects"),
    [
        ("reserve", "before", [], 0),
        ("reserve", "after", ["pending"], 0),
        (PUT, "before", ["pending"], 0),
        (PUT, "after", ["pending"], 1),
        (READY, "before", ["pending"], 1),
        (READY, "after", ["ready"], 1),
    ],
)
@pytest.mark.parametrize(
    ("on_duplicate", "reserve"), [("allow", "database.db.query"), ("reject", "database.db.transaction")]
)
def test_upload_killed(
    stores: Stores, on_duplicate: str, reserve: str, target: str, when: str, statuses: list[str], objects: int
) -> None:
    """The upload writes its row in one statement, or in a transaction that first looks for duplicates."""
    event = upload_event(PICTURE, {"title": "x"}, idempotency_key="k", on_duplicate=on_duplicate)

    die(stores, event, target.replace("reserve", reserve), when)

    assert_consistent(stores, statuses, objects)
    assert_same_request_makes_one_image(stores, event, expected=200 if statuses == ["ready"] else 201)


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

    assert_consistent(stores, ["pending"], 0 if cut else 1)
    assert_same_request_makes_one_image(stores, event, expected=201)


def test_upload_killed_again_and_again_is_one_image(stores: Stores) -> None:
    event = upload_event(PICTURE, {"title": "x"}, idempotency_key="k")
    # Repeated requests also look up the key and the pending row before the put.
    for call in (1, 2, 3):
        die(stores, event, "database.db.query", "after", call)
        assert_consistent(stores, ["pending"], 0)
    for target, when, objects in ((PUT, "before", 0), (PUT, "after", 1), (READY, "before", 1)):
        die(stores, event, target, when)
        assert_consistent(stores, ["pending"], objects)
    die(stores, event, READY, "after")

    assert_consistent(stores, ["ready"], 1)
    assert_same_request_makes_one_image(stores, event, expected=200)


@pytest.mark.parametrize(
    ("target", "call", "when", "status"),
    [
        ("database.db.query", 2, "before", "pending"),
        ("database.db.query", 2, "after", "failed"),
        (REMOVE, 1, "before", "failed"),
        (REMOVE, 1, "after", "failed"),
    ],
)
def test_refusal_killed_meanwhile(stores: Stores, target: str, call: int, when: str, status: str) -> None:
    event = upload_event(BROKEN, idempotency_key="k")

    die(stores, event, target, when, call)

    assert_consistent(stores, [status], 0 if (target, when) == (REMOVE, "after") else 1)
    assert send(event).code == "image_corrupt"
    assert_same_request_makes_one_image(stores, upload_event(PICTURE, idempotency_key="k"), expected=201)


def test_acknowledged_images_survive_the_death_of_both_servers(stores: Stores) -> None:
    files = [pictures.jpeg_of_size(100_000 + n) for n in range(5)]
    images = [send(upload_event(data)).image for data in files]

    for server in (stores.postgres, stores.s3):
        server.kill()
        server.start()

    assert_consistent(stores, ["ready"] * 5, 5)
    for image, data in zip(images, files, strict=True):
        assert fetch(image["urls"]["original"]).data == data


def assert_consistent(stores: Stores, statuses: list[str], objects: int) -> None:
    """Every object has a row, and images that are ready are listed."""
    assert (stores.statuses(), len(stores.keys())) == (statuses, objects)
    assert set(stores.keys()) <= {row["s3_key"] for row in stores.rows()}
    ready = {str(row["id"]) for row in stores.rows() if row["status"] == "ready"}
    assert {image["id"] for image in get("/api/images").body["images"]} == ready


def assert_same_request_makes_one_image(stores: Stores, event: Event, *, expected: int) -> None:
    answers = [send(event), send(event)]

    assert [answer.status for answer in answers] == [expected, 200]
    assert stores.idempotency_keys() == ["k"]
    assert [image["id"] for image in get("/api/images").body["images"]] == [answers[0].image["id"]]
    assert fetch(answers[1].image["urls"]["original"]).data == PICTURE
    assert set(stores.keys()) <= {row["s3_key"] for row in stores.rows()}
