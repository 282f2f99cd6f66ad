"""Presigned uploads that fail for lack of the store, time or memory; and final refusals."""

import time
from typing import Any
from unittest.mock import patch

import pytest
from imageapi.database import db
from imageapi.deadline import time_left, time_limit
from imageapi.decoder.client import Inspection
from imageapi.errors import StorageUnavailableError, TooComplexError
from imageapi.storage import s3
from imageapi.uploads import complete as completing
from imageapi.uploads.complete import MAX_ATTEMPTS

from tests.integration.client import upload
from tests.integration.leftovers import counts, die, expire
from tests.integration.lifecycle import (
    announce_and_post,
    complete,
    complete_event,
    fetch,
    ingest,
    sweep,
    watch_keys,
)
from tests.integration.stores import Stores, failing
from tests.support import pictures

PICTURE = pictures.camera_jpeg()


def test_a_store_that_takes_all_time_is_no_attempt(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upload releases its lease, although that requires a new database connection."""

    def wait(*_: Any, **__: Any) -> Any:
        db.close()
        while time_left() > 0:
            time.sleep(0.01)
        raise StorageUnavailableError()

    monkeypatch.setattr(completing, "SPARE_SECONDS", 2.0)
    image_id = announce_and_post(PICTURE)
    for _ in range(MAX_ATTEMPTS + 1):
        with patch.object(s3, "download", wait), time_limit(2.5), pytest.raises(StorageUnavailableError):
            completing.complete_upload(image_id)

    assert complete(image_id).status == 201


@pytest.mark.parametrize(
    ("target", "statuses"),
    [("download", (503, 201)), ("put_object", (503, 201)), ("delete_objects", (201, 200))],
)
def test_a_store_that_fails_on_the_way(stores: Stores, target: str, statuses: tuple[int, int]) -> None:
    """If the image exists, a sweep removes the file. A later upload is no duplicate of a failed one."""
    image_id = announce_and_post(PICTURE)
    with failing(target):
        answer = complete(image_id)
        assert answer.status == statuses[0]
        if answer.status == 503:
            assert answer.code == "storage_unavailable"
            assert ingest(image_id)["unfinished"] == {image_id: "storage_unavailable"}
    if answer.status == 503:
        assert upload(PICTURE, on_duplicate="return").status == 201

    answer = complete(image_id)
    assert answer.status == statuses[1]
    assert fetch(answer.image["urls"]["original"]).data == PICTURE


def test_a_lack_of_memory_is_final_only_when_it_is_every_time(stores: Stores) -> None:
    """The cause may be the machine rather than the file."""
    image_id, never_fits = announce_and_post(PICTURE), announce_and_post(PICTURE)
    with patch.object(Inspection, "wait", side_effect=TooComplexError):
        assert ingest(image_id) == {"refused": {image_id: "image_too_complex"}}
        assert complete(image_id).error == (422, "image_too_complex")
        assert complete(never_fits).error == (422, "image_too_complex")
        assert stores.statuses() == ["pending"] * 2
        assert stores.keys() == sorted([f"incoming/{image_id}", f"incoming/{never_fits}"])
    assert complete(image_id).status == 201

    with patch.object(Inspection, "wait", side_effect=TooComplexError):
        for statuses in (["ready", "pending"], ["ready", "pending"], ["ready", "failed"]):
            expire(stores)
            sweep()
            assert stores.statuses() == statuses
    assert complete(never_fits).code == "image_too_complex"
    assert len(stores.keys()) == 1


@pytest.mark.parametrize("way", ["complete", "event", "sweep"])
def test_what_ends_all_attempts_is_refused(stores: Stores, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """If a form is posted repeatedly, each time with an event, it costs at most three decodes."""
    image_id = announce_and_post(PICTURE)
    for _ in range(MAX_ATTEMPTS):
        die(stores, complete_event(image_id), "storage.s3.download", "after")
        expire(stores)
    downloads = watch_keys(monkeypatch, "download")

    if way == "event":
        assert ingest(image_id) == {"refused": {image_id: "image_too_complex"}}
    elif way == "sweep":
        assert counts(sweep()) == {"refused": 1}
    for _ in range(2):
        assert complete(image_id).error == (422, "image_too_complex")

    assert downloads == []
    assert (stores.statuses(), stores.keys()) == (["failed"], [])
