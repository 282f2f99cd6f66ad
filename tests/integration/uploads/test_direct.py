"""Direct uploads that succeed, and those that leave nothing in either store."""

import hashlib
from typing import Any
from unittest.mock import patch

import psutil
import pytest
from imageapi.decoder import forks
from imageapi.decoder.client import Inspection
from imageapi.errors import StorageUnavailableError
from imageapi.storage import s3

from tests.integration.client import upload
from tests.integration.stores import Configure, Stores
from tests.support import hostile, pictures, samples
from tests.support.waiting import wait_until

METADATA = {"title": "夕焼け", "description": "海。\n二行目", "category": "風景", "tags": ["海", "空"]}


@pytest.mark.parametrize("name", samples.ALL_GOOD)
def test_good_picture_is_stored_as_it_was_sent(stores: Stores, name: str) -> None:
    data, facts = samples.ALL_GOOD[name](), samples.facts(name)

    answer = upload(data, METADATA, filename="写真.txt")  # the bytes determine the type

    assert answer.status == 201
    (row,) = stores.rows()
    key = f"originals/{row['id']}.{facts.extension}"
    assert stores.keys() == [key]
    stored, head = stores.object(key)
    assert stored == data
    assert head["ContentType"] == facts.mime_type
    assert "immutable" in head["CacheControl"]
    expected = METADATA | {
        "filename": "写真.txt",
        "s3_key": key,
        "mime_type": facts.mime_type,
        "size_bytes": len(data),
        "width": facts.width,
        "height": facts.height,
        "frames": facts.frames,
        "exif": row["exif"],
        "id": str(row["id"]),
    }
    digest = hashlib.sha256(data)
    assert row | expected | {"status": "ready", "sha256": digest.digest(), "version": 1} == row
    assert answer.image["placeholder"].startswith("data:image/webp;base64,")
    assert answer.image | expected | {"sha256": digest.hexdigest()} == answer.image


def test_the_largest_file_is_taken_and_named_after_its_id(stores: Stores) -> None:
    data = pictures.jpeg_of_size(4_400_000)

    image = upload(data, filename=None).image

    assert image["filename"] == f"{image['id']}.jpg"
    assert stores.object(f"originals/{image['filename']}")[0] == data


@pytest.mark.parametrize("name", samples.BAD)
def test_bad_picture(stores: Stores, name: str) -> None:
    make, status, code = samples.BAD[name]

    assert upload(make()).error == (status, code)
    assert stores.is_empty()


@pytest.mark.parametrize("step", [(Inspection, "wait"), (s3, "put_object")])
def test_memory_that_runs_out_leaves_nothing_behind(stores: Stores, step: tuple[Any, str]) -> None:
    with patch.object(*step, side_effect=MemoryError):
        assert upload(pictures.jpeg(), idempotency_key="k").error == (500, "internal_error")
    assert stores.is_empty()
    assert stores.idempotency_keys() == []


def test_no_decode_outlives_a_put_that_fails(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take the next request's time and memory."""

    def fail(*_: Any, **__: Any) -> None:
        wait_until(find_forks)
        raise StorageUnavailableError()

    monkeypatch.setattr(s3, "put_object", fail)

    assert upload(hostile.jpeg(20_000, 2_000)).code == "storage_unavailable"

    wait_until(lambda: not find_forks())
    assert stores.is_empty()


def find_forks() -> Any:
    """The processes that decode for this one."""
    return psutil.Process(forks.get_process("inspect").pid).children()


def test_the_limit_of_pixels_is_the_configured_one(stores: Stores, configure: Configure) -> None:
    configure(MAX_PIXELS=str(64 * 48 - 1))
    assert upload(pictures.jpeg()).error == (422, "too_many_pixels")
    assert stores.is_empty()
