"""Presigned uploads that fail: the store, the time, the memory; which refusals are final."""

import time
from typing import Any

import pytest
from imageapi.database import db
from imageapi.deadline import time_left, time_limit
from imageapi.errors import StorageUnavailableError
from imageapi.pictures import inspect
from imageapi.pictures.decode_limits import MAX_SCANS
from imageapi.storage import s3
from imageapi.uploads import complete as completing
from imageapi.uploads.complete import MAX_ATTEMPTS

from tests.integration.client import upload
from tests.integration.leftovers import expire
from tests.integration.lifecycle import announce_and_post, complete, fetch, ingest, sweep
from tests.integration.stores import Stores, fail
from tests.support import hostile, pictures

PICTURE = pictures.camera_jpeg()


def test_a_file_that_could_not_be_stored_is_not_in_the_way(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = announce_and_post(PICTURE)
    with monkeypatch.context() as patch:
        patch.setattr(s3, "put_object", fail)
        assert complete(image_id).status == 503

    assert upload(PICTURE, on_duplicate="return").status == 201
    assert complete(image_id).status == 201


def test_a_store_that_takes_all_the_time_is_no_attempt(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease is released, even though that requires a new database connection."""

    def wait(*_: Any, **__: Any) -> Any:
        db.close()
        while time_left() > 0:
            time.sleep(0.01)
        raise StorageUnavailableError()

    monkeypatch.setattr(completing, "SPARE_SECONDS", 2.0)
    image_id = announce_and_post(PICTURE)
    for _ in range(MAX_ATTEMPTS + 1):
        with monkeypatch.context() as patch, time_limit(2.5):
            patch.setattr(s3, "download", wait)
            with pytest.raises(StorageUnavailableError):
                completing.complete_upload(image_id)

    assert complete(image_id).status == 201


@pytest.mark.parametrize("target", ["download", "put_object", "delete_objects"])
def test_a_store_that_fails_on_the_way(stores: Stores, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    image_id = announce_and_post(PICTURE)
    with monkeypatch.context() as patch:
        patch.setattr(s3, target, fail)
        answer = complete(image_id)
        if target == "delete_objects":  # by then the image exists, and a sweep removes the file
            assert answer.status == 201
        else:
            assert (answer.status, answer.code) == (503, "storage_unavailable")
            assert ingest(image_id)["unfinished"] == {image_id: "storage_unavailable"}

    answer = complete(image_id)
    assert answer.status == (200 if target == "delete_objects" else 201)
    assert fetch(answer.image["urls"]["original"]).data == PICTURE


def test_a_lack_of_memory_is_not_final(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine may be the cause, not the picture."""

    def fail(*_: object) -> None:
        raise MemoryError

    image_id = announce_and_post(PICTURE)
    with monkeypatch.context() as patch:
        patch.setattr(inspect, "read_exif", fail)
        assert ingest(image_id) == {"refused": {image_id: "image_too_complex"}}
        answer = complete(image_id)
        assert (answer.status, answer.code) == (422, "image_too_complex")

    assert stores.statuses() == ["pending"]
    assert stores.keys() == [f"incoming/{image_id}"]
    assert complete(image_id).status == 201


def test_a_picture_that_never_fits_the_memory_is_refused(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(inspect, "read_exif", fail)
    image_id = announce_and_post(PICTURE)
    for _ in range(MAX_ATTEMPTS):
        expire(stores)
        sweep()
        assert stores.statuses() == ["pending"]
    expire(stores)
    sweep()

    assert complete(image_id).code == "image_too_complex"
    assert (stores.statuses(), stores.keys()) == (["failed"], [])


def test_a_picture_with_too_many_scans_is_refused_for_good(stores: Stores) -> None:
    image_id = announce_and_post(hostile.jpeg(MAX_SCANS + 1))

    for _ in range(2):
        answer = complete(image_id)
        assert (answer.status, answer.code) == (422, "image_too_complex")
    assert stores.statuses() == ["failed"]
    assert stores.keys() == []
