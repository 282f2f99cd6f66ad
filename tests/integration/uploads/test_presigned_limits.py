"""Presigned uploads that reach a decoding limit: which refusals are final, and which are retried."""

import pytest
from imageapi.pictures import inspect
from imageapi.pictures.decode_limits import MAX_SCANS
from imageapi.uploads.complete import MAX_ATTEMPTS

from tests.integration.leftovers import expire
from tests.integration.lifecycle import announce_and_post, complete, ingest, sweep
from tests.integration.stores import Stores
from tests.support import hostile, pictures

PICTURE = pictures.jpeg()


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
