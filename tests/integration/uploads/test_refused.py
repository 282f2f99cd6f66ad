"""Uploads that are refused, or fail, once their form is read: nothing is left in either store."""

import resource
import time
from threading import Event
from typing import Any

import pytest
from imageapi.errors import StorageUnavailableError
from imageapi.pictures import inspect
from imageapi.storage import s3
from PIL import ImageFile

from tests.integration.client import upload
from tests.integration.stores import Stores
from tests.support import pictures


@pytest.mark.parametrize("name", pictures.BAD)
def test_bad_picture(stores: Stores, name: str) -> None:
    make, status, code = pictures.BAD[name]

    answer = upload(make())

    assert (answer.status, answer.code) == (status, code)
    assert stores.is_empty()


@pytest.mark.parametrize("step", ["inspect", "put"])
def test_memory_that_runs_out_leaves_nothing_behind(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def run_out(*_: Any, **__: Any) -> Any:
        raise MemoryError

    with monkeypatch.context() as patch:
        if step == "inspect":
            patch.setattr(inspect, "inspect", run_out)
        else:
            patch.setattr(s3, "put_object", run_out)
        answer = upload(pictures.jpeg(), idempotency_key="k")

    assert (answer.status, answer.code) == (500, "internal_error")
    assert stores.is_empty()
    assert stores.idempotency_keys() == []


def test_no_decode_outlives_a_put_that_fails(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would use up the next request's time and memory."""
    started, ended = Event(), Event()

    def decode_until_cancelled(image: ImageFile.ImageFile) -> None:
        started.set()
        try:
            while True:
                image.fp.check_time()  # type: ignore[union-attr]
                time.sleep(0.01)
        finally:
            ended.set()

    def fail(*_: Any, **__: Any) -> None:
        assert started.wait(60)
        raise StorageUnavailableError()

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode_until_cancelled)
    monkeypatch.setattr(s3, "put_object", fail)
    before = resource.getrlimit(resource.RLIMIT_AS)

    assert upload(pictures.jpeg()).code == "storage_unavailable"

    assert ended.is_set()
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    assert stores.is_empty()
