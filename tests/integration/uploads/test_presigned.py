"""Presigned uploads with real posts to a real store: success, and every refusal."""

import hashlib
import re
from collections.abc import Callable

import pytest
from imageapi.uploads import presigned

from tests.integration.client import get, upload
from tests.integration.lifecycle import (
    announce,
    announce_and_post,
    complete,
    delete_for_good,
    fetch,
    get_image,
    ingest,
    post_file,
)
from tests.integration.stores import Configure, Stores, new_id
from tests.support import hostile, pictures
from tests.support.waiting import wait_until

PICTURE = pictures.camera_jpeg()
METADATA = {"title": "夕焼け", "tags": ["海"]}


def test_the_whole_way(stores: Stores) -> None:
    digest = hashlib.sha256(PICTURE).hexdigest()

    announced = announce(PICTURE, sha256=digest, metadata=METADATA)

    assert announced.status == 201
    ticket = announced.body["data"]
    assert set(ticket) == {"id", "form", "complete_path"}
    assert ticket["complete_path"] == f"/api/uploads/{ticket['id']}/complete"
    assert stores.statuses() == ["pending"]
    assert get("/api/images").body["images"] == []
    assert get_image(ticket["id"]).status == 404

    assert post_file(ticket["form"], PICTURE) in (200, 201, 204)
    answer = complete(ticket["id"])

    assert answer.status == 201
    image = answer.image
    assert (image["id"], image["filename"], image["sha256"]) == (ticket["id"], "写真.jpg", digest)
    assert (image["title"], image["tags"]) == ("夕焼け", ["海"])
    assert (image["width"], image["height"], image["size_bytes"]) == (64, 48, len(PICTURE))
    assert image["exif"]["camera"] == "Canon EOS R6"
    assert stores.keys() == [image["s3_key"]]
    assert re.fullmatch(rf"originals/{image['id']}[.0-9a-f]*\.jpg", image["s3_key"])
    stored, head = stores.object(image["s3_key"])
    assert stored == PICTURE
    assert head["ContentType"] == "image/jpeg"
    assert "immutable" in head["CacheControl"]
    assert fetch(image["urls"]["original"]).data == PICTURE
    assert [listed["id"] for listed in get("/api/images").body["images"]] == [image["id"]]
    assert complete(image["id"]).status == 200


@pytest.mark.parametrize("announced", ["image/webp", None])
@pytest.mark.parametrize("name", ["png_16_bit", "gif_animated", "avif", "bmp", "tiff_pages", "jpeg_mpo"])
def test_every_kind_of_picture_gets_the_type_that_its_bytes_have(
    stores: Stores, name: str, announced: str | None
) -> None:
    data, facts = pictures.ALL_GOOD[name](), pictures.facts(name)

    image = complete(announce_and_post(data, mime_type=announced)).image

    assert (image["mime_type"], image["frames"]) == (facts.mime_type, facts.frames)
    assert image["s3_key"].endswith(f".{facts.extension}")
    assert stores.object(image["s3_key"])[1]["ContentType"] == facts.mime_type


def test_the_largest_size_can_be_set(stores: Stores, configure: Configure) -> None:
    configure(MAX_UPLOAD_BYTES="1000")

    assert announce(PICTURE, size_bytes=1000).status == 201
    assert announce(PICTURE, size_bytes=1001).body["error"]["details"] == {"max_bytes": 1000}


REFUSED_BY_THE_STORE: dict[str, tuple[bytes, dict[str, str]]] = {
    "larger": (PICTURE + b"\0", {}),
    "smaller": (PICTURE[:-1], {}),
    "empty": (b"", {}),
    "another key": (PICTURE, {"key": "incoming/another"}),
    "an original's key": (PICTURE, {"key": "originals/another.jpg"}),
    "another type": (PICTURE, {"Content_Type": "text/html"}),
    "another signature": (PICTURE, {"x_amz_signature": "0" * 64}),
    "another policy": (PICTURE, {"policy": "e30="}),
}


@pytest.mark.parametrize("case", REFUSED_BY_THE_STORE)
def test_a_post_is_refused_by_the_store(stores: Stores, case: str) -> None:
    data, changes = REFUSED_BY_THE_STORE[case]
    ticket = announce(PICTURE).body["data"]

    assert 400 <= post_file(ticket["form"], data, **changes) < 500

    assert stores.keys() == []
    answer = complete(ticket["id"])
    assert (answer.status, answer.code) == (409, "upload_not_arrived")
    # The form still works for the announced file.
    assert post_file(ticket["form"], PICTURE) < 300
    assert complete(ticket["id"]).status == 201


def test_a_form_expires(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presigned, "FORM_SECONDS", 1)
    form = announce(PICTURE).body["data"]["form"]

    wait_until(lambda: post_file(form, PICTURE) == 403)

    # Earlier posts were stored; this one is not.
    before = stores.keys()
    assert post_file(form, PICTURE) == 403
    assert stores.keys() == before


def test_before_the_file_has_arrived(stores: Stores) -> None:
    ticket = announce(PICTURE).body["data"]

    for _ in range(2):
        answer = complete(ticket["id"])
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (
            409,
            "upload_not_arrived",
            ["1"],
        )
    assert stores.statuses() == ["pending"]


@pytest.mark.parametrize("image_id", ["nonsense", "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"])
def test_an_upload_that_never_was(stores: Stores, image_id: str) -> None:
    answer = complete(image_id)

    assert (answer.status, answer.code[-10:]) == (404, "_not_found")


BAD: dict[str, tuple[Callable[[], bytes], int, str]] = {
    name: pictures.BAD[name]
    for name in (
        "html",
        "svg",
        "jpeg_truncated",
        "png_wrong_checksum_pixels",
        "png_bomb",
        "gif_too_many_frames",
    )
}
BAD |= {name: hostile.BAD[name] for name in ("jpeg_many_scans", "tiff_large_tile")}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("way", ["complete", "event"])
def test_what_arrives_is_refused_and_removed(stores: Stores, name: str, way: str) -> None:
    make, status, code = BAD[name]
    image_id = announce_and_post(make())

    if way == "event":
        assert ingest(image_id) == {"refused": {image_id: code}}
    else:
        answer = complete(image_id)
        assert (answer.status, answer.code) == (status, code)

    assert [(row["status"], row["failure"]) for row in stores.rows()] == [("failed", code)]
    assert stores.keys() == []
    for _ in range(2):
        again = complete(image_id)
        assert (again.status, again.code) == (status, code)
    assert get_image(image_id).status == 404
    assert get("/api/images").body["images"] == []


def test_another_file_than_announced(stores: Stores) -> None:
    image_id = announce_and_post(PICTURE, sha256=hashlib.sha256(b"another").hexdigest())

    for _ in range(2):
        answer = complete(image_id)
        assert (answer.status, answer.code) == (422, "sha256_mismatch")
    assert stores.rows()[0]["failure"] == "sha256_mismatch"
    assert stores.keys() == []


def test_a_key_whose_upload_was_refused_can_be_used_again(stores: Stores) -> None:
    bad = pictures.truncated(pictures.noisy("JPEG"))
    assert complete(announce_and_post(bad, "key-1")).status == 422

    assert complete(announce_and_post(PICTURE, "key-1")).status == 201
    assert sorted(stores.statuses()) == ["failed", "ready"]


def test_idempotency_key(stores: Stores) -> None:
    first, second = announce(PICTURE, "key-1"), announce(PICTURE, "key-1")

    assert [first.status, second.status] == [201, 200]
    assert first.body["data"]["id"] == second.body["data"]["id"]
    assert post_file(second.body["data"]["form"], PICTURE) < 300
    image = complete(first.body["data"]["id"]).image

    third = announce(PICTURE, "key-1")
    assert (third.status, third.body["data"]["id"], third.body["data"]["form"]) == (200, image["id"], None)
    for other in (
        announce(PICTURE, "key-1", filename="b.jpg"),
        announce(PICTURE, "key-1", metadata=METADATA),
        announce(PICTURE + b"1", "key-1"),
        upload(PICTURE, idempotency_key="key-1"),
    ):
        assert (other.status, other.code) == (422, "idempotency_key_reused")
    for key in ("", "é", "x" * 256):
        assert announce(PICTURE, key).code == "idempotency_key_invalid"
    assert len(stores.rows()) == 1


def test_events_of_other_objects_do_no_harm(stores: Stores) -> None:
    unknown = new_id()

    assert ingest("not-an-id") == {}
    assert ingest(unknown)["refused"] == {unknown: "upload_not_found"}
    pending = announce(PICTURE).body["data"]["id"]
    assert ingest(pending)["refused"] == {pending: "upload_not_arrived"}
    assert complete(announce_and_post(PICTURE)).status == 201


def test_deleted_before_the_event_comes_stays_deleted(stores: Stores) -> None:
    image_id = announce_and_post(PICTURE)
    complete(image_id)
    delete_for_good(image_id)

    assert ingest(image_id)["refused"] == {image_id: "upload_not_found"}
    assert complete(image_id).status == 404
    assert stores.is_empty()


def test_copies_are_found_as_duplicates(stores: Stores) -> None:
    first = upload(PICTURE).image
    second = complete(announce_and_post(PICTURE)).image

    assert second["duplicate_of"] == first["id"]
