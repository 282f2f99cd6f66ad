"""Presigned uploads with real posts to a real store: success, and every refusal."""

import hashlib
from unittest.mock import patch

import pytest
from imageapi.uploads import presigned

from tests.integration.client import get
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
from tests.integration.stores import Stores, new_id
from tests.support import hostile, pictures, samples
from tests.support.waiting import wait_until

PICTURE = pictures.camera_jpeg()


def test_the_whole_way(stores: Stores) -> None:
    digest = hashlib.sha256(PICTURE).hexdigest()

    announced = announce(PICTURE, sha256=digest, metadata={"title": "夕焼け", "tags": ["海"]})

    ticket = announced.body["data"]
    (url,) = announced.headers["location"]
    assert announced.status == 201
    assert url.endswith(f"/v1/api/uploads/{ticket['id']}")
    assert ticket["complete_url"] == f"{url}/complete"
    assert (ticket["status"], ticket["failure"], ticket["image_url"]) == ("waiting", None, None)
    assert get(f"/api/uploads/{ticket['id']}").body["data"] == ticket | {"form": None}
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
    assert stores.keys() == [image["s3_key"]] == [f"originals/{image['id']}.jpg"]
    stored, head = stores.object(image["s3_key"])
    assert stored == PICTURE
    assert "immutable" in head["CacheControl"]
    image_url = url.replace("uploads", "images")
    done = ticket | {"form": None, "status": "ready", "image_url": image_url}
    assert get(f"/api/uploads/{image['id'].upper()}").body["data"] == done
    assert fetch(image["urls"]["original"]).data == PICTURE
    assert [listed["id"] for listed in get("/api/images").body["images"]] == [image["id"]]
    assert complete(image["id"]).status == 200

    delete_for_good(image["id"])
    assert ingest(image["id"])["refused"] == {image["id"]: "upload_not_found"}
    assert complete(image["id"]).status == 404
    assert stores.is_empty()


@pytest.mark.parametrize("announced", ["image/webp", None])
@pytest.mark.parametrize("name", ["png_16_bit", "gif_animated", "avif", "bmp", "tiff_pages", "jpeg_mpo"])
def test_a_picture_gets_the_type_of_its_bytes(stores: Stores, name: str, announced: str | None) -> None:
    data, facts = samples.ALL_GOOD[name](), samples.facts(name)

    image = complete(announce_and_post(data, mime_type=announced)).image

    assert (image["mime_type"], image["frames"]) == (facts.mime_type, facts.frames)
    assert image["s3_key"].endswith(f".{facts.extension}")
    assert stores.object(image["s3_key"])[1]["ContentType"] == facts.mime_type


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (PICTURE + b"\0", {}),
        (PICTURE[:-1], {}),
        (PICTURE, {"key": "originals/another.jpg"}),
        (PICTURE, {"Content_Type": "text/html"}),
        (PICTURE, {"policy": "e30="}),
    ],
    ids=["larger", "smaller", "key", "type", "policy"],
)
def test_a_post_is_refused_by_the_store(stores: Stores, data: bytes, changes: dict[str, str]) -> None:
    ticket = announce(PICTURE).body["data"]

    assert 400 <= post_file(ticket["form"], data, **changes) < 500

    assert stores.keys() == []
    for _ in range(2):
        answer = complete(ticket["id"])
        assert (answer.error, answer.headers["retry-after"]) == ((409, "upload_not_arrived"), ["1"])
    # The form still works for the registered file.
    assert post_file(ticket["form"], PICTURE) < 300
    assert complete(ticket["id"]).status == 201


@patch.object(presigned, "FORM_SECONDS", 1)
def test_a_form_expires(stores: Stores) -> None:
    form = announce(PICTURE).body["data"]["form"]

    wait_until(lambda: post_file(form, PICTURE) == 403)

    # Earlier posts were stored; this one is not.
    before = stores.keys()
    assert (post_file(form, PICTURE), stores.keys()) == (403, before)


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        *((name, *samples.BAD[name][1:]) for name in ("html", "jpeg_truncated", "png_bomb")),
        *((name, *hostile.BAD[name][1:]) for name in ("tiff_large_tile", "tiff_many_tiles")),
        ("another sha256", 422, "sha256_mismatch"),
    ],
)
@pytest.mark.parametrize("way", ["complete", "event"])
def test_what_arrives_is_refused(stores: Stores, name: str, status: int, code: str, way: str) -> None:
    """Afterwards, the Idempotency-Key is free again."""
    make = (samples.BAD | hostile.BAD).get(name, [lambda: PICTURE])[0]
    sha256 = {"sha256": "0" * 64} if name == "another sha256" else {}
    image_id = announce_and_post(make(), "k", **sha256)

    if way == "event":
        assert ingest(image_id) == {"refused": {image_id: code}}

    for _ in range(2):
        assert complete(image_id).error == (status, code)
    assert [(row["status"], row["failure"]) for row in stores.rows()] == [("failed", code)]
    shown = get(f"/api/uploads/{image_id}").body["data"]
    assert (shown["status"], shown["failure"], shown["form"]) == ("failed", code, None)
    assert stores.keys() == []
    assert get_image(image_id).status == 404
    assert get("/api/images").body["images"] == []
    assert complete(announce_and_post(PICTURE, "k")).status == 201


def test_what_never_was_announced_or_has_not_arrived(stores: Stores) -> None:
    for unknown in ("nonsense", new_id()):
        assert complete(unknown).error == (404, "upload_not_found")
        assert get(f"/api/uploads/{unknown}").error == (404, "upload_not_found")
    assert ingest("nonsense") == {}
    assert ingest(unknown)["refused"] == {unknown: "upload_not_found"}
    pending = announce(PICTURE).body["data"]["id"]
    assert ingest(pending)["refused"] == {pending: "upload_not_arrived"}
    assert stores.statuses() == ["pending"]
