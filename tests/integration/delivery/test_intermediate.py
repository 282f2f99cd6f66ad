"""Intermediates: stored with a large image, and used for small variants."""

import io
from typing import Any
from unittest.mock import patch

import pytest
from imageapi.errors import StorageUnavailableError
from imageapi.model.variant_names import INTERMEDIATE
from imageapi.storage import s3
from imageapi.uploads import direct
from PIL import Image

from tests.integration.client import Json, send, upload, upload_event
from tests.integration.leftovers import die, expire
from tests.integration.lifecycle import (
    announce_and_post,
    complete,
    delete_for_good,
    fetch,
    get_image,
    ingest,
    open_link,
    sign,
    sweep,
    watch_keys,
)
from tests.integration.stores import Stores
from tests.support import pictures

PICTURE = pictures.large_jpeg(6)
WEBP = "image/webp"


@pytest.fixture
def image(stores: Stores) -> Json:
    return upload(PICTURE).image


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of all objects that this process downloads from now on."""
    return watch_keys(monkeypatch, "download")


def copy_key(image_id: str) -> str:
    return f"variants/{image_id}/{INTERMEDIATE}"


def settle(stores: Stores) -> None:
    """Expire every lease, and sweep."""
    expire(stores)
    sweep()


@pytest.mark.parametrize("way", ["direct", "complete", "event", "sweep"])
def test_every_way_to_upload_keeps_a_copy(stores: Stores, way: str) -> None:
    image_id = upload(PICTURE).image["id"] if way == "direct" else announce_and_post(PICTURE)
    if way == "complete":
        assert complete(image_id).status == 201
    elif way == "event":
        assert ingest(image_id)["completed"] == [image_id]
    elif way == "sweep":
        settle(stores)

    assert stores.variants() == [(INTERMEDIATE, "ready")]
    data, facts = stores.object(copy_key(image_id))
    assert facts["ContentType"] == "image/jpeg"
    assert Image.open(io.BytesIO(data)).size == (1_200, 900)
    assert sweep()["orphan_objects"] == 0


def test_small_variants_are_made_from_the_copy(image: Json, downloads: list[str]) -> None:
    for variant in ("w160", "w320", "w320-cover", "w640"):
        assert fetch(sign(image["id"], variant), WEBP).status == 200

    assert downloads == [copy_key(image["id"])] * 3 + [f"originals/{image['id']}.jpg"]


def test_a_copy_that_is_lost_is_made_up_for(stores: Stores, image: Json, downloads: list[str]) -> None:
    s3.delete_objects([copy_key(image["id"])])

    found = fetch(image["urls"]["thumbnail"], WEBP)

    assert Image.open(io.BytesIO(found.data)).size == (320, 240)
    assert downloads == [copy_key(image["id"]), f"originals/{image['id']}.jpg"]
    assert sweep()["variants_lost"] == 1
    assert stores.variants() == [("w320.webp", "ready")]


def test_a_copy_that_is_being_stored_is_not_used(stores: Stores, image: Json, downloads: list[str]) -> None:
    stores.execute("UPDATE image_variants SET status = 'pending'")
    assert fetch(image["urls"]["thumbnail"], WEBP).status == 200
    assert downloads == [f"originals/{image['id']}.jpg"]


def test_an_upload_succeeds_without_its_copy(stores: Stores, caplog: pytest.LogCaptureFixture) -> None:
    original = s3.put_object

    def fail_for_copies(key: str, *args: Any, **options: Any) -> None:
        if key.startswith("variants/"):
            raise StorageUnavailableError()
        original(key, *args, **options)

    with patch.object(s3, "put_object", fail_for_copies):
        answer = upload(PICTURE)

    assert answer.status == 201
    assert "no intermediate was kept" in caplog.text
    assert fetch(answer.image["urls"]["thumbnail"], WEBP).status == 200
    settle(stores)
    assert stores.variants() == [("w320.webp", "ready")]


def test_nobody_waits_for_a_copy_when_the_store_is_slow(stores: Stores) -> None:
    with patch.object(direct, "MAX_SECONDS_BEFORE_INTERMEDIATE", 0):
        assert upload(PICTURE).status == 201
    assert stores.variants() == []


STEPS = [
    ("catalog.variants.acquire_lease", 1),
    ("storage.s3.put_object", 2),
    ("catalog.variants.mark_ready", 1),
]


@pytest.mark.parametrize(("target", "call"), STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_the_copy_is_stored(stores: Stores, target: str, call: int, when: Any) -> None:
    event = upload_event(PICTURE, {"title": "x"}, idempotency_key="k")
    die(stores, event, target, when, call)

    assert stores.statuses() == ["ready"]
    again = send(event)
    assert again.status == 200
    assert fetch(again.image["urls"]["original"]).data == PICTURE
    assert fetch(again.image["urls"]["thumbnail"], WEBP).status == 200
    settle(stores)
    is_stored = "mark_ready" in target or ("put_object" in target and when == "after")
    kept = [(INTERMEDIATE, "ready")] * is_stored
    assert stores.variants() == [*kept, ("w320.webp", "ready")]
    assert len(stores.keys()) == 2 + len(kept)


@pytest.mark.parametrize(("target", "call"), STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_deleted_while_the_copy_is_stored(stores: Stores, target: str, call: int, when: Any) -> None:
    with stores.paused_at(upload_event(PICTURE), target, when, call) as process:
        (row,) = stores.rows()
        assert delete_for_good(str(row["id"])).status == 204
        assert process.finish().status == 201

    assert stores.is_empty()
    assert stores.variants() == []


def test_nobody_is_given_the_copy_itself(image: Json) -> None:
    assert open_link(sign(image["id"], INTERMEDIATE)).error == (404, "variant_not_found")
    assert INTERMEDIATE not in str(get_image(image["id"]).body)
