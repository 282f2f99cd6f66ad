"""make demo against an HTTP server that answers as the test says."""

import json
import threading
from argparse import Namespace
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from local import demo
from local.errors import LocalError
from local.settings import make_settings


class Api:
    """Answers uploads by ``answers``: each takes the next, and the last one stays. ``keys`` are theirs."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = [(201, {"data": {}})]
        self.keys: list[str] = []
        self.url = ""
        self._lock = threading.Lock()

    def answer(self, method: str, headers: dict[str, str]) -> tuple[int, Any]:
        if headers.get("x-api-key") != "right":
            return 401, {"error": {"code": "api_key_invalid"}}
        if method == "GET":
            return 200, {"images": []}
        with self._lock:
            self.keys.append(headers["idempotency-key"])
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def api() -> Iterator[Api]:
    found = Api()

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, value = found.answer(self.command, headers)
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = respond  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def test_an_upload(api: Api) -> None:
    assert demo.upload_one(demo.Api(api.url, "right"), 3) == (3, "added")
    assert api.keys == ["demo-0003"]


def test_a_busy_api_is_asked_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.demo.time.sleep", lambda _: None)
    api.answers = [(503, None), (429, None), (201, {"data": {}})]

    assert demo.upload_one(demo.Api(api.url, "right"), 0).text == "added"
    assert api.keys == ["demo-0000"] * 3


def run(api_url: str | None, key: str | None, count: int = 3, **variables: str) -> None:
    arguments = Namespace(base_url=api_url, api_key=key, count=count)
    demo.run_demo(arguments, make_settings(variables), None)


def test_a_run_says_what_it_did(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers = [(200, {"data": {}}), (201, {"data": {}})]

    run(None, None, BASE_URL=api.url + "/", API_KEY="right,older")

    assert "2 added, 1 there already" in capsys.readouterr().out
    assert len(api.keys) == 3


def test_a_picture_that_is_refused_is_told(api: Api) -> None:
    api.answers = [(422, {"error": {"code": "metadata_invalid", "message": "No."}}), (201, {})]

    with pytest.raises(LocalError, match=r"1 were not taken; .*metadata_invalid"):
        run(api.url, "right")


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("http://127.0.0.1:1", "right", "make run"),
        ("nonsense", "right", "not an address"),
        ("ftp://127.0.0.1", "right", "not an address"),
        (None, "wrong", "API_KEY"),
        (None, "", "API_KEY"),
    ],
)
def test_without_an_api_that_can_be_used(api: Api, url: str | None, key: str, said: str) -> None:
    with pytest.raises(LocalError, match=said):
        run(url or api.url, key)
    assert not api.keys
