"""The put of an object, a request of the service's own: what the store checks, and what is tried again."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from imageapi import storage
from imageapi.errors import StorageUnavailableError

from tests.integration.stores import Configure, Stores

DATA = b"a picture" * 1_000
DIGEST = hashlib.sha256(DATA).digest()
KEY = "originals/0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e.jpg"


def put(data: bytes | io.BytesIO, sha256: bytes = DIGEST) -> None:
    storage.put_object(KEY, data, content_type="image/jpeg", sha256=sha256)


def test_what_is_kept_with_an_object(stores: Stores) -> None:
    put(DATA)

    data, headers = stores.object(KEY)
    assert data == DATA
    assert headers["ContentType"] == "image/jpeg"
    assert headers["CacheControl"] == storage.IMMUTABLE


def test_a_file_is_sent_from_its_beginning(stores: Stores) -> None:
    file = io.BytesIO(DATA)
    file.read(100)

    put(file)

    assert stores.object(KEY)[0] == DATA


def test_other_bytes_are_refused(stores: Stores) -> None:
    """A byte that changed on its way must not be kept."""
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
    # The rest of the answer may repeat what signed the request, and the cause is logged.
    assert str(caught.value.__cause__) == f"[Errno {statuses[-1]}] SomethingWrong"


@contextmanager
def store_that_answers(*statuses: int) -> Iterator[tuple[str, list[bytes]]]:
    """An address, and the bodies that came in."""
    received: list[bytes] = []
    remaining = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            status = remaining.pop(0)
            body = b"<Error><Code>SomethingWrong</Code><StringToSign>secret</StringToSign></Error>"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 301:
                self.send_header("Location", "/elsewhere")
            if status == 503:
                self.send_header("Retry-After", "3600")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", received
    finally:
        server.shutdown()
        server.server_close()
