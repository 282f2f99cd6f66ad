"""Any response of a receiver affects only its own delivery, which ends within the time limit."""

import socket
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from imageapi.webhook_sender.response import MAX_BYTES
from imageapi.webhook_sender.send import send_all

from tests.integration.webhooks.receiver import raw_server, receiver
from tests.integration.webhooks.sending import LIMIT, delivery

pytestmark = pytest.mark.usefixtures("short_limit")

ERRORS = {None, "status_not_2xx", "timeout", "connection_failed", "response_invalid"}
BUFFERED = 8_000_000
"""The maximum number of bytes in the buffers of a connection on loopback."""


class Step(NamedTuple):
    """Bytes that a receiver sends, the number of times, and its pause before them."""

    data: bytes
    times: int = 1
    pause: float = 0.0


@contextmanager
def hostile(steps: list[Step]) -> Iterator[tuple[str, list[int]]]:
    """A receiver that sends these steps, then closes; and the numbers of sent bytes."""
    sent: list[int] = []

    def talk(connection: socket.socket) -> None:
        with suppress(OSError):
            for data, times, pause in steps:
                time.sleep(pause)
                for _ in range(times):
                    connection.sendall(data)
                    sent.append(len(data))

    with raw_server(talk) as url:
        yield url, sent


status_lines = st.one_of(
    st.integers(0, 1000).map(lambda status: b"HTTP/1.1 %d\r\n" % status),
    st.sampled_from([100, 103, 200, 204, 302, 410, 429, 503]).map(
        lambda status: b"HTTP/1.1 %d OK\r\n" % status
    ),
    st.binary(max_size=40).map(lambda junk: b"HTTP/1.1 200 " + junk + b"\r\n"),
    st.binary(max_size=100),
)
values = st.one_of(
    st.binary(max_size=100),
    st.text(max_size=20).map(str.encode),
    st.integers().map(lambda number: b"%d" % number),
    st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S GMT").encode()),
)
headers = st.builds(
    lambda name, value, end: name + b":" + value + end,
    st.sampled_from([b"Retry-After", b"retry-after ", b"Content-Type", b"Transfer-Encoding", b"\x00", b""]),
    values,
    st.sampled_from([b"\r\n", b"\n", b"\r", b""]),
)
pauses = st.sampled_from([0.0] * 8 + [0.05, LIMIT + 0.2])
steps = st.one_of(
    st.builds(Step, status_lines, st.just(1), pauses),
    st.builds(Step, headers, st.sampled_from([1, 2, 1000]), pauses),
    st.builds(Step, st.sampled_from([b"\r\n\r\n", b"a" * 65_536]), st.sampled_from([1, 400]), st.just(0.0)),
)


@given(st.lists(steps, max_size=5))
@example([Step(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary*=idna'en'x\r\n\r\n")])
@example([Step(b"HTTP/1.1 503 No\r\nContent-Type: text/plain; charset*=\x00''x\r\n\r\n")])
@example([Step(b"HTTP/1.1 503 No\r\nRetry-After: " + b"9" * 5_000 + b"\r\n\r\n")])
@example([Step(b"HTTP/1.1 429 No\r\n"), Step(b"X: " + b"a" * 65_000 + b"\r\n", 99)])
@example([Step(b"HTTP/1.1 100 Continue\r\n\r\n", 100_000)])
@example([Step(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"), Step(bytes(65_536), 1_600)])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_one_result_in_time_and_others_arrive(steps: list[Step]) -> None:
    with hostile(steps) as (url, sent), receiver() as server:
        start = time.monotonic()
        outcomes = {
            outcome["webhook_id"]: outcome["results"]
            for outcome in send_all([delivery(url, 2, "hostile"), delivery(server.url, 2, "other")])
        }
        seconds = time.monotonic() - start
    assert seconds < 2 * LIMIT + 2
    assert [result["status"] for result in outcomes["other"]] == [204, 204]
    results = outcomes["hostile"]
    assert {result["error"] for result in results} <= ERRORS
    # There is one result for each message, until the first refused one.
    assert len(results) == 2 or results[0]["error"]
    assert all(earlier["error"] is None for earlier, _ in pairwise(results))
    assert all((result["error"] is None) == (200 <= (result["status"] or 0) < 300) for result in results)
    assert all(0 <= (result["retry_after"] or 0) <= 3600 for result in results)
    assert sum(sent) <= 2 * (MAX_BYTES + BUFFERED)


def test_twenty_receivers_with_endless_headers_take_little_memory() -> None:
    """OutsideFunction has 256 MB."""
    endless = [Step(b"HTTP/1.1 503 No\r\n"), Step(b"X: " + b"a" * 8_000 + b"\r\n", 2_000)]
    with hostile(endless) as (url, _):
        tracemalloc.start()
        outcomes = list(send_all([delivery(url, webhook_id=str(number)) for number in range(20)]))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert [result["status"] for outcome in outcomes for result in outcome["results"]] == [503] * 20
    assert peak < 20 * 4 * MAX_BYTES
