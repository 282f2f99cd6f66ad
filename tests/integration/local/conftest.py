"""An API for the commands that ask one."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http_server import Handler, serve


class Api:
    """Answers requests with the key ``right``: each with the next answer of its method; the last repeats.

    Attributes:
        requests: method, path, body, if it is JSON, and Idempotency-Key of each.
    """

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, list[tuple[int, Any]]] = {
            "GET": [(200, {"images": []})],
            "POST": [(201, {"data": {}})],
        }
        self.requests: list[tuple[str, str, Any, str | None]] = []
        self._lock = threading.Lock()

    def answer(self, request: Handler) -> tuple[int, Any]:
        body = request.read_body()
        if request.headers["X-API-Key"] != "right":
            return 401, {"error": {"code": "api_key_invalid"}}
        value = json.loads(body) if body.startswith(b"{") else None
        with self._lock:
            self.requests.append((request.command, request.path, value, request.headers["Idempotency-Key"]))
            answers = self.answers[request.command]
            return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def api() -> Iterator[Api]:
    found = Api()

    class Service(Handler):
        def respond(self) -> None:
            status, value = found.answer(self)
            self.answer(status, json.dumps(value).encode())

    with serve(Service) as found.url:
        yield found
