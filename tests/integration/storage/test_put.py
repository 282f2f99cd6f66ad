"""The service's own put request: the store's checks, and retries."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from imageapi.errors import StorageUnavailableError
from imageapi.storage import s3

from tests.integration.stores import Configure, Stores
from tests.support.http_server import Handler, serve

DATA = b"a picture" * 1_000
KEY = "originals/0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e.jpg"


def put(data: bytes | io.BytesIO) -> None:
    s3.put_object(KEY, data, content_type="image/jpeg", sha256=hashlib.sha256(DATA).digest())


def test_other_bytes_are_refused(stores: Stores) -> None:
    """The store must reject bytes that were corrupted in transit."""
    for sent in (DATA[:-1] + b"X", io.BytesIO(DATA[:-1] + b"X")):
        with pytest.raises(StorageUnavailableError):
            put(sent)

    assert stores.keys() == []


def test_a_busy_store_is_asked_again(configure: Configure) -> None:
    with store_that_answers(503, 200) as (url, received):
        configure(MINIO_ENDPOINT_URL=url)
        put(io.BytesIO(DATA))

    assert received == [DATA, DATA]


@pytest.mark.parametrize("statuses", [(503, 503), (403,), (301,), (404,)])
def test_what_is_not_stored_is_said(configure: Configure, statuses: tuple[int, ...]) -> None:
    with store_that_answers(*statuses) as (url, received):
        configure(MINIO_ENDPOINT_URL=url)
        with pytest.raises(StorageUnavailableError) as caught:
            put(DATA)

    assert received == [DATA] * len(statuses)
    # The rest of the response may repeat the input of the signature, so the logged cause omits it.
    assert str(caught.value.__cause__) == f"[Errno {statuses[-1]}] SomethingWrong"


@contextmanager
def store_that_answers(*statuses: int) -> Iterator[tuple[str, list[bytes]]]:
    """The address of a scripted store, and the bodies it received."""
    received: list[bytes] = []
    remaining = list(statuses)

    class Store(Handler):
        def respond(self) -> None:
            received.append(self.read_body())
            status = remaining.pop(0)
            headers = {301: {"location": "/elsewhere"}, 503: {"retry_after": "3600"}}.get(status, {})
            body = b"<Error><Code>SomethingWrong</Code><StringToSign>secret</StringToSign></Error>"
            self.answer(status, body, **headers)

    with serve(Store) as url:
        yield url, received
