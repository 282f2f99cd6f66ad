"""Read the status and Retry-After of a receiver's response. The rest is ignored, so it can do no harm."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import IOBase
from itertools import takewhile
from socket import socket

MAX_LINE, MAX_BYTES = 8_192, 65_536
MAX_RETRY_AFTER = 3_600
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})( .*)?\r?\n", re.DOTALL)


def read_response(connection: socket) -> tuple[int, int | None]:
    """The status, and for 429 or 503 the seconds of Retry-After, at most MAX_RETRY_AFTER.

    Raises:
        ValueError: the response is not HTTP/1.
        OSError: the connection ended first.
    """
    with connection.makefile("rb", MAX_LINE) as stream:
        lines = _read_lines(stream)
        for line in lines:
            match = _STATUS_LINE.fullmatch(line)
            if not match:
                raise ValueError("no status line")
            status = int(match[1])
            headers = takewhile(bytes.strip, lines)
            if status in (429, 503):
                # A malformed rest does not invalidate the status.
                with suppress(OSError, ValueError, TypeError, OverflowError):
                    return status, _find_retry_after(headers)
            if status >= 200:
                return status, None
            list(headers)  # informational: another response follows
    raise ConnectionError


def _read_lines(stream: IOBase) -> Iterator[bytes]:
    left = MAX_BYTES
    while left > 0 and (line := stream.readline(MAX_LINE)):
        left -= len(line)
        yield line


def _find_retry_after(headers: Iterator[bytes]) -> int | None:
    for header in headers:
        name, _, value = header.decode("latin-1").partition(":")
        if name.lower() == "retry-after":
            if not value.strip().isdigit():
                value = f"{(parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds():.0f}"
            return max(0, min(int(value), MAX_RETRY_AFTER))
    return None
