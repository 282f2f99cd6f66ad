"""The parts of a receiver's response that are read."""

import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from imageapi.webhook_sender.response import read_response


def answer(data: bytes) -> tuple[int, int | None]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        return read_response(ours)


HINTS = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\n", (200, None)),
        (b"HTTP/1.0 204\n", (204, None)),
        (b"HTTP/1.1 599 \xff\x00\r\n", (599, None)),
        (HINTS + b"HTTP/1.1 201 Made\r\n", (201, None)),
        # Only of busy receivers, and only a header.
        (b"HTTP/1.1 500 No\r\nRetry-After: 60\r\n\r\n", (500, None)),
        (b"HTTP/1.1 503 No\r\n\r\nRetry-After: 60\r\n", (503, None)),
    ],
)
def test_statuses(data: bytes, expected: tuple[int, int | None]) -> None:
    assert answer(data) == expected


@pytest.mark.parametrize(
    "data",
    [
        *(b"\r\n", b"HTTP/1.1 200 OK", b"HTTP/2 200\r\n", b"HTTP/1.1 600 No\r\n", b"HTTP/1.1 2000 No\r\n"),
        *(b"HTTP/1.1 20\xb2 OK\r\n", b" HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 " + b"a" * 8_192 + b"\r\n"),
    ],
)
def test_what_is_no_answer(data: bytes) -> None:
    with pytest.raises(ValueError, match="no status line"):
        answer(data)


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_connection_that_ends_first(data: bytes) -> None:
    with pytest.raises(ConnectionError):
        answer(data)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *(("0", 0), ("120", 120), ("3601", 3600), ("9" * 20, 3600)),
        *(("-1", None), ("1.5", None), ("\xb2", None), ("9" * 5000, None), ("soon", None), ("", None)),
        ("Mon, 99 Foo 2026 00:00:00 GMT", None),
    ],
)
def test_retry_after(value: str, expected: int | None) -> None:
    for status in (429, 503):
        data = f"HTTP/1.1 {status} No\r\nX: y\r\nretry-AFTER:{value}\r\n\r\n".encode("latin-1")
        assert answer(data) == (status, expected)


@pytest.mark.parametrize(("seconds", "expected"), [(-60, 0), (600, 600), (7200, 3600)])
def test_retry_after_a_date(seconds: int, expected: int) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    _, found = answer(f"HTTP/1.1 503 No\r\nRetry-After: {moment}\r\n\r\n".encode())
    assert found is not None
    assert expected - 5 <= found <= expected
