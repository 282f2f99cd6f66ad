"""If the object store is stopped or refuses, requests fail with 503 and leave nothing behind."""

import hashlib
import io
import time

import pytest
from imageapi.deadline import time_limit
from imageapi.errors import StorageUnavailableError
from imageapi.storage import s3
from imageapi.sweep.run import sweep

from tests.integration.client import get, upload
from tests.integration.leftovers import expire
from tests.integration.stores import Configure, Stores, stopped
from tests.support import pictures
from tests.support.answers import Answer
from tests.support.proxy import NetworkFault, Proxy

PICTURE = pictures.jpeg()


def assert_unavailable(answer: Answer) -> None:
    assert answer.error == (503, "storage_unavailable")
    assert int(answer.headers["retry-after"][0]) >= 1


def assert_nothing_stored(stores: Stores) -> None:
    """No object and no visible image. A failed row may remain until the sweep removes it."""
    assert stores.keys() == []
    assert set(stores.statuses()) <= {"failed"}
    assert get("/api/images").body["images"] == []
    expire(stores)
    sweep(dry_run=False)
    assert stores.is_empty()


def test_stopped_store(stores: Stores) -> None:
    with stopped(stores.s3):
        assert_unavailable(upload(PICTURE))
        assert_unavailable(upload(PICTURE, on_duplicate="reject"))
        assert get("/api/images").status == 200

    assert_nothing_stored(stores)
    again = upload(PICTURE, on_duplicate="reject")
    assert again.status == 201
    assert again.image["duplicate_of"] is None
    assert stores.object(again.image["s3_key"])[0] == PICTURE


@pytest.mark.parametrize(
    "change",
    [
        {"MINIO_SECRET_KEY": "wrong-s3cret"},
        {"MINIO_ACCESS_KEY": "wrong-access"},
        {"MINIO_BUCKET_NAME": "missing-bucket"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_refusing_store(stores: Stores, configure: Configure, change: dict[str, str]) -> None:
    configure(**change)

    answer = upload(PICTURE)

    assert_unavailable(answer)
    assert not any(value in str(answer.body) for value in change.values())
    configure(**stores.environment)
    assert_nothing_stored(stores)


def test_a_transfer_has_a_time_limit(stores: Stores, configure: Configure) -> None:
    """The store is slow overall, although no single wait times out."""
    data = bytes(20_000_000)  # more than the buffers can hold
    proxy = Proxy((stores.s3.host, stores.s3.port))
    try:
        configure(MINIO_ENDPOINT_URL=proxy.url)
        s3.put_object("originals/there", data, content_type="image/jpeg", sha256=digest(data))
        proxy.break_with(NetworkFault("slow", 0))
        start = time.monotonic()
        with pytest.raises(StorageUnavailableError), time_limit(1):
            s3.put_object("originals/slow", data, content_type="image/jpeg", sha256=digest(data))
        with pytest.raises(StorageUnavailableError), time_limit(1):
            s3.download("originals/there", io.BytesIO(), len(data))
        assert time.monotonic() - start < 20
    finally:
        proxy.close()


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
