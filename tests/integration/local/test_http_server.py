"""What the local gateway itself refuses: always JSON with a code and x-request-id, never misread."""

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
from tests.integration.run import ROOT

HOST = "Host: localhost\r\n"
POST = f"POST /event HTTP/1.1\r\n{HOST}"
CHUNKED = f"{POST}Transfer-Encoding: chunked\r\n"
SMUGGLED = f"GET /smuggled HTTP/1.1\r\n{HOST}\r\n"


class Function:
    """Replaces a pool: answers each event with its path and `q`, and records the path."""

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


class Bytes:
    """A fake socket from which http.client reads a response."""

    def __init__(self, data: io.BytesIO) -> None:
        self._data = data

    def makefile(self, *_: Any) -> io.BytesIO:
        return self._data


def exchange(port: int, text: str, end: bool = False) -> list[tuple[int, http.client.HTTPMessage, bytes]]:
    """The responses to these bytes until the server closes the connection; `end` first closes our side."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text.encode("latin-1"))
        if end:
            connection.shutdown(socket.SHUT_WR)
        received = io.BytesIO(b"".join(iter(lambda: connection.recv(65_536), b"")))
    responses = []
    while received.tell() < len(received.getvalue()):
        # Without a pause between two responses, http.client would read ahead and lose the second.
        response = http.client.HTTPResponse(Bytes(received), method=text.partition(" ")[0])  # type: ignore[arg-type]
        response.fp.close = lambda: None  # type: ignore[method-assign]
        response.begin()
        body = received.read(response.length or 0)
        responses.append((response.status, response.headers, body))
    return responses


def refuse(port: int, text: str, end: bool = False) -> tuple[int, dict[str, Any]]:
    """Status and error of the one response to these bytes."""
    [(status, headers, body)] = exchange(port, text, end)
    assert headers["Content-Type"] == "application/json"
    assert headers["x-request-id"]
    error: dict[str, Any] = json.loads(body)["error"]
    assert error["message"]
    return status, error


def test_address_may_have_characters_that_are_not_escaped(port: int) -> None:
    """curl sends them as typed."""
    text = f"GET /写真?q=海 HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"
    [(status, _, body)] = exchange(port, text.encode().decode("latin-1"))
    assert (status, body.decode()) == (200, "/写真海")


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (f"GET /{'a' * 70_000} HTTP/1.1\r\n{HOST}\r\n", 431),
        (f"GET /a HTTP/1.1\r\nX-Long: {'a' * 70_000}\r\n\r\n", 431),
        ("hello\r\n\r\n", 400),
        ("GET /a HTTP/x\r\n\r\n", 400),
        ("GET http://[::1 HTTP/1.1\r\n\r\n", 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ],
)
def test_request_that_cannot_be_read_is_refused(port: int, text: str, status: int) -> None:
    found, error = refuse(port, text)
    assert (found, error["code"]) == (status, "request_refused")
    assert error["details"]["reason"].isupper()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (f"{POST}Content-Length: -5\r\n\r\n", 400),
        (f"{POST}Content-Length: {'9' * 5000}\r\n\r\n", 400),
        (f"{POST}Content-Length: 0\r\nContent-Length: 7\r\n\r\n", 400),
        (f"{POST}Content-Length : 5\r\n\r\n", 400),
        (f"{POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (f"{POST}Transfer-Encoding: gzip\r\n\r\n", 501),
        (f"{CHUNKED.replace('1.1', '1.0')}Connection: keep-alive\r\n\r\n", 400),
        (f"{CHUNKED}\r\nzz\r\nabc\r\n", 400),
        (f"{CHUNKED}\r\n2\r\nabcde\r\n0\r\n\r\n", 400),
    ],
)
def test_uncertain_end_of_a_body_is_refused_and_what_follows_is_no_request(
    port: int, function: Function, head: str, status: int
) -> None:
    function.seen.clear()
    found, error = refuse(port, head + SMUGGLED)
    assert (found, error["code"]) == (status, "request_refused")
    assert function.seen == []


@pytest.mark.parametrize("head", [f"{POST}Content-Length: 500\r\n\r\n{{}}", f"{CHUNKED}\r\n5\r\nabc"])
def test_body_cut_short_is_no_request(port: int, function: Function, head: str) -> None:
    function.seen.clear()
    assert exchange(port, head, end=True) == []
    assert function.seen == []


def test_body_that_was_refused_is_no_request(port: int, function: Function) -> None:
    function.seen.clear()
    head = (
        f"POST /event HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nContent-Length: {len(SMUGGLED)}"
    )
    assert refuse(port, f"{head}\r\n\r\n{SMUGGLED}")[0] == 421
    assert function.seen == []


def test_requests_in_one_go_are_answered_in_turn(port: int) -> None:
    first = f"{POST}Content-Length: 2\r\n\r\n{{}}{CHUNKED}\r\n1\r\na\r\n0\r\n\r\n"
    last = f"GET /last HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"
    assert [body for _, _, body in exchange(port, first + last)] == [b"/event", b"/event", b"/last"]


@pytest.mark.parametrize("length", [0, 2])
def test_client_that_waits_for_leave_to_send_gets_it(port: int, length: int) -> None:
    """Or, with nothing to send, the response at once."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = f"{POST}Expect: 100-continue\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        if length:
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"{}")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("length", [11_000_000, 999_999_999_999])
def test_body_too_large_is_refused_before_it_is_sent(port: int, length: int) -> None:
    status, error = refuse(port, f"{POST}Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n")
    assert (status, error["code"]) == (413, "payload_too_large")


def test_chunks_beyond_the_limit_are_413(port: int, function: Function) -> None:
    function.seen.clear()
    chunk = f"{2**20:x}\r\n{'a' * 2**20}\r\n"
    status, error = refuse(port, f"{CHUNKED}\r\n{chunk * 10}1\r\na\r\n0\r\n\r\n")
    assert (status, error["code"]) == (413, "payload_too_large")
    assert function.seen == []


@pytest.mark.parametrize("line", ["TRACE /event", "BREW /event", "CONNECT a:1"])
def test_method_that_no_route_has_is_405(port: int, line: str) -> None:
    text = f"{line} HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"
    status, error = refuse(port, text)
    assert (status, error["code"]) == (405, "method_not_allowed")
    assert exchange(port, text)[0][1]["Allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"


def test_route_that_the_template_does_not_have_is_404(port: int) -> None:
    status, error = refuse(port, f"GET / HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n")
    assert (status, error["code"]) == (404, "not_found")


def test_error_of_the_gateway_itself_is_502(port: int) -> None:
    status, error = refuse(port, f"GET /raise HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n")
    assert (status, error["code"]) == (502, "function_failed")


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
            [(_, _, body)] = exchange(server.port, f"GET /{path} HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n")
    found = json.loads(body)
    assert found["functions"]["PlayFunction"]["Requests"] == {"2xx": 2, "5xx": 1}
    assert found["functions"]["gateway"]["Requests"] == {"4xx": 1}
    assert found["total_requests"] == 4
