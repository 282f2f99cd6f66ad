"""make demo against a scripted HTTP server."""

import json
import threading
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

import pytest

from local.client import Api as Client
from local.demo import upload
from local.errors import LocalError
from local.settings import make_settings
from tests.support.http_server import Handler, serve


class Api:
    """Answers each upload with the next of ``answers``; the last repeats. ``keys``: Idempotency-Keys sent."""

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

    class Service(Handler):
        def respond(self) -> None:
            self.read_body()
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, value = found.answer(self.command, headers)
            self.answer(status, json.dumps(value).encode())

    with serve(Service) as found.url:
        yield found


def test_an_upload(api: Api) -> None:
    assert upload.upload_one(Client(api.url, "right"), 3) == "added"
    assert api.keys == ["demo-0003"]


def test_a_busy_api_is_asked_again(api: Api) -> None:
    api.answers = [(503, None), (429, None), (201, {"data": {}})]

    assert upload.upload_one(Client(api.url, "right"), 0) == "added"
    assert api.keys == ["demo-0000"] * 3


@pytest.mark.parametrize(
    ("status", "answer", "text"),
    [
        (200, {"data": {}}, "there already"),
        (422, {"error": {"code": "idempotency_key_reused"}}, "there already"),
        (422, {"error": {"code": "image_corrupt", "message": "No."}}, "number 2: 422 image_corrupt: No."),
        (418, None, "number 2: 418 : "),
    ],
)
def test_what_an_answer_means(api: Api, status: int, answer: Any, text: str) -> None:
    api.answers = [(status, answer)]

    assert upload.upload_one(Client(api.url, "right"), 2) == text


def run(api_url: str | None, key: str | None, count: int = 3, **variables: str) -> None:
    arguments = Namespace(base_url=api_url, api_key=key, count=count)
    upload.run_demo(arguments, make_settings(variables), None)


def test_a_run_says_what_it_did(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers = [(200, {"data": {}}), (201, {"data": {}})]

    run(None, None, BASE_URL=api.url + "/", API_KEY="right,older")

    assert "2 added, 1 there already" in capsys.readouterr().out
    assert len(api.keys) == 3


def test_a_picture_that_is_refused_is_told(api: Api) -> None:
    api.answers = [(422, {"error": {"code": "metadata_invalid", "message": "No."}}), (201, {})]

    with pytest.raises(LocalError, match=r"1 were not taken; .*number \d: 422 metadata_invalid"):
        run(api.url, "right")


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("http://127.0.0.1:1", "right", "make run"),
        ("nonsense", "right", "not an address"),
        ("ftp://127.0.0.1", "right", "not an address"),
        ("http://", "right", "not an address"),
        (None, "wrong", "API_KEY"),
        (None, "", "API_KEY"),
    ],
)
def test_without_an_api_that_can_be_used(api: Api, url: str | None, key: str, said: str) -> None:
    with pytest.raises(LocalError, match=said):
        run(url or api.url, key)
    assert not api.keys
