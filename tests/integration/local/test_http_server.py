"""The local gateway's own errors are JSON with a code and x-request-id. It never misreads a request."""

import http.client
import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from local.gateway.app import Gateway
from local.gateway.http_server import ApiServer
from local.gateway.template import read_template
from tests import ROOT

HOST = "Host: localhost\r\n"
LAST = f"{HOST}Connection: close\r\n\r\n"
POST = f"POST /event HTTP/1.1\r\n{HOST}"
CHUNKED = f"{POST}Transfer-Encoding: chunked\r\n"
SMUGGLED = f"GET /smuggled HTTP/1.1\r\n{HOST}\r\n"
MIB = f"{2**20:x}\r\n{'a' * 2**20}\r\n"


class Function:
    """Replaces a pool: returns the path and `q` of each event, and records the path."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.entered, self.may_end = threading.Event(), threading.Event()

    def invoke(self, event: str, body: bytes = b"") -> bytes:
        request = json.loads(event)
        path = request["path"]
        self.seen.append(path)
        if path == "/raise":
            raise RuntimeError
        if path == "/wait":
            self.entered.set()
            assert self.may_end.wait(20)
        text = path + (request["queryStringParameters"] or {}).get("q", "")
        headers = {"content-type": "text/plain"}
        return json.dumps({"statusCode": 200, "headers": headers, "body": text}).encode()


@pytest.fixture(scope="module")
def function() -> Function:
    return Function()


@contextmanager
def serving(function: Function) -> Iterator[ApiServer]:
    template = read_template(ROOT / "tests/fixtures/runner/template.yaml")
    pools: Any = dict.fromkeys(template.functions, function)
    with closing(ApiServer(0)) as server:
        server.start(Gateway(template.api, pools, server.port, lambda host: host == "localhost"))
        yield server
        server.stop()


@pytest.fixture(scope="module")
def port(function: Function) -> Iterator[int]:
    with serving(function) as server:
        yield server.port


def exchange(port: int, text: str, end: bool = False) -> list[tuple[int, http.client.HTTPMessage, bytes]]:
    """Send these bytes; returns all responses until the server closes. `end` closes our side first."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text.encode("latin-1"))
        if end:
            connection.shutdown(socket.SHUT_WR)
        received = io.BytesIO(b"".join(iter(lambda: connection.recv(65_536), b"")))
    responses = []
    while line := received.readline():
        headers = http.client.parse_headers(received)
        body = received.read(int(headers["Content-Length"] or 0))
        responses.append((int(line.split()[1]), headers, body))
    return responses


def test_address_may_have_characters_that_are_not_escaped(port: int) -> None:
    """curl sends them as typed."""
    [(status, _, body)] = exchange(port, f"GET /写真?q=海 HTTP/1.1\r\n{LAST}".encode().decode("latin-1"))
    assert (status, body.decode()) == (200, "/写真海")


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        # The request cannot be parsed.
        (f"GET /{'a' * 70_000} HTTP/1.1\r\n{HOST}\r\n", 431, "request_refused"),
        (f"GET /a HTTP/1.1\r\nX-Long: {'a' * 70_000}\r\n\r\n", 431, "request_refused"),
        ("hello\r\n\r\n", 400, "request_refused"),
        ("GET /a HTTP/x\r\n\r\n", 400, "request_refused"),
        ("GET http://[::1 HTTP/1.1\r\n\r\n", 400, "request_refused"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "request_refused"),
        # The end of the body is uncertain, so the rest must not count as a request.
        (f"{POST}Content-Length: -5\r\n\r\n{SMUGGLED}", 400, "request_refused"),
        (f"{POST}Content-Length: {'9' * 5000}\r\n\r\n{SMUGGLED}", 400, "request_refused"),
        (f"{POST}Content-Length: 0\r\nContent-Length: 7\r\n\r\n{SMUGGLED}", 400, "request_refused"),
        (f"{POST}Content-Length : 5\r\n\r\n{SMUGGLED}", 400, "request_refused"),
        (f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{SMUGGLED}", 501, "request_refused"),
        (f"{POST}Transfer-Encoding: gzip\r\n\r\n{SMUGGLED}", 501, "request_refused"),
        (f"{CHUNKED.replace('1.1', '1.0')}Connection: keep-alive\r\n\r\n{SMUGGLED}", 400, "request_refused"),
        (f"{CHUNKED}\r\nzz\r\nabc\r\n{SMUGGLED}", 400, "request_refused"),
        (f"{CHUNKED}\r\n2\r\nabcde\r\n0\r\n\r\n{SMUGGLED}", 400, "request_refused"),
        # The same holds for a refused body. A body that is too large is refused before it is sent.
        (
            f"POST /event HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n"
            f"Content-Length: {len(SMUGGLED)}\r\n\r\n{SMUGGLED}",
            421,
            "host_unknown",
        ),
        (f"{POST}Expect: 100-continue\r\nContent-Length: 11000000\r\n\r\n", 413, "payload_too_large"),
        (f"{POST}Expect: 100-continue\r\nContent-Length: 999999999999\r\n\r\n", 413, "payload_too_large"),
        (f"{CHUNKED}\r\n{MIB * 10}1\r\na\r\n0\r\n\r\n", 413, "payload_too_large"),
        # The method or the path does not exist.
        (f"TRACE /event HTTP/1.1\r\n{LAST}", 405, "method_not_allowed"),
        (f"BREW /event HTTP/1.1\r\n{LAST}", 405, "method_not_allowed"),
        (f"CONNECT a:1 HTTP/1.1\r\n{LAST}", 405, "method_not_allowed"),
        (f"GET / HTTP/1.1\r\n{LAST}", 404, "not_found"),
        # The gateway itself fails.
        (f"GET /raise HTTP/1.1\r\n{LAST}", 502, "function_failed"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_what_is_refused(port: int, function: Function, text: str, status: int, code: str) -> None:
    function.seen.clear()
    [(found, headers, body)] = exchange(port, text)
    error = json.loads(body)["error"]
    assert (found, error["code"]) == (status, code)
    assert headers["Content-Type"] == "application/json"
    assert headers["x-request-id"]
    assert error["message"]
    assert function.seen == (["/raise"] if status == 502 else [])
    if code == "request_refused":
        assert error["details"]["reason"].isupper()
    if status == 405:
        assert headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"


@pytest.mark.parametrize("head", [f"{POST}Content-Length: 500\r\n\r\n{{}}", f"{CHUNKED}\r\n5\r\nabc"])
def test_body_cut_short_is_no_request(port: int, function: Function, head: str) -> None:
    function.seen.clear()
    assert exchange(port, head, end=True) == []
    assert function.seen == []


def test_requests_in_one_go_are_answered_in_turn(port: int) -> None:
    first = f"{POST}Content-Length: 2\r\n\r\n{{}}{CHUNKED}\r\n1\r\na\r\n0\r\n\r\n"
    last = f"GET /last HTTP/1.1\r\n{LAST}"
    assert [body for _, _, body in exchange(port, first + last)] == [b"/event", b"/event", b"/last"]


@pytest.mark.parametrize("length", [0, 2])
def test_client_that_waits_for_leave_to_send_gets_it(port: int, length: int) -> None:
    """With an empty body, it gets the response at once."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = f"{POST}Expect: 100-continue\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        if length:
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"{}")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


def test_response_to_head_claims_no_length_of_its_own(port: int) -> None:
    [(status, headers, body)] = exchange(port, f"HEAD /a HTTP/1.1\r\n{HOST}\r\n")
    assert (status, headers["Content-Length"], headers["Transfer-Encoding"], body) == (200, None, None, b"")


def test_request_under_way_is_answered_when_the_server_stops() -> None:
    function = Function()
    with serving(function) as server:
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        connection.sendall(f"GET /wait HTTP/1.1\r\n{HOST}\r\n".encode())
        assert function.entered.wait(20)
        threading.Timer(0.2, function.may_end.set).start()
    with closing(connection):
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(b"/wait")


def test_it_counts_what_it_answers() -> None:
    with serving(Function()) as server:
        for path in ("a", "a", "raise", "", "_local/stats", "_local/stats"):
            [(_, _, body)] = exchange(server.port, f"GET /{path} HTTP/1.1\r\n{LAST}")
    found = json.loads(body)
    assert found["functions"]["PlayFunction"]["Requests"] == {"2xx": 2, "5xx": 1}
    assert found["functions"]["gateway"]["Requests"] == {"4xx": 1}
    assert found["total_requests"] == 4
