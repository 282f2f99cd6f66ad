"""Successful uploads, checked in both stores."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.client import fetch_link, upload
from tests.integration.stores import Stores
from tests.support import pictures

METADATA = {
    "title": "夕焼け",
    "description": "海。\n二行目",
    "category": "風景",
    "tags": ["海", "空", "海"],
}


@pytest.mark.parametrize("name", pictures.ALL_GOOD)
def test_good_picture_is_stored_as_it_was_sent(stores: Stores, name: str) -> None:
    data, facts = pictures.ALL_GOOD[name](), pictures.facts(name)

    answer = upload(data, METADATA, filename="写真.txt")  # its type comes from the bytes

    assert answer.status == 201
    (row,) = stores.rows()
    key = f"originals/{row['id']}.{facts.extension}"
    assert stores.keys() == [key]
    stored, head = stores.object(key)
    assert stored == data
    assert head["ContentType"] == facts.mime_type
    assert "immutable" in head["CacheControl"]
    expected = {
        "status": "ready",
        "title": "夕焼け",
        "description": "海。\n二行目",
        "category": "風景",
        "tags": ["海", "空"],
        "filename": "写真.txt",
        "s3_key": key,
        "mime_type": facts.mime_type,
        "size_bytes": len(data),
        "width": facts.width,
        "height": facts.height,
        "frames": facts.frames,
        "sha256": hashlib.sha256(data).digest(),
        "version": 1,
    }
    assert {field: row[field] for field in expected} == expected


def test_answer_shows_the_row(stores: Stores) -> None:
    data = pictures.camera_jpeg()

    image = upload(data, METADATA, filename="IMG_0001.JPG").image

    (row,) = stores.rows()
    same = ("id", "title", "description", "category", "tags", "filename", "s3_key", "mime_type", "size_bytes")
    assert {field: image[field] for field in same} == {field: row[field] for field in same}
    assert (image["width"], image["height"], image["frames"]) == (64, 48, 1)
    assert image["sha256"] == hashlib.sha256(data).hexdigest()
    assert image["exif"] == row["exif"]
    assert image["exif"]["camera"] == "Canon EOS R6"
    assert image["exif"]["taken_at"] == "2026-04-01T09:30:15+09:00"
    assert "139" not in json.dumps(image["exif"])
    assert image["placeholder"].startswith("data:image/webp;base64,")
    created = datetime.fromisoformat(image["created_at"])
    assert timedelta(0) <= datetime.now(UTC) - created < timedelta(minutes=1)
    assert created <= datetime.fromisoformat(image["updated_at"])
    assert fetch_link(image["urls"]["original"]) == data
    assert fetch_link(image["urls"]["thumbnail"]).startswith(b"\xff\xd8\xff")


def test_upload_without_a_name_is_named_after_its_id(stores: Stores) -> None:
    image = upload(pictures.png(), filename=None).image

    assert image["filename"] == f"{image['id']}.png"
    assert stores.keys() == [f"originals/{image['filename']}"]


def test_largest_direct_file_is_taken(stores: Stores) -> None:
    data = pictures.jpeg_of_size(4_400_000)

    image = upload(data).image

    assert stores.object(image["s3_key"])[0] == data
