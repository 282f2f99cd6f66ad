"""A server that speaks Gemini's protocol (POST /v1/models/{model}:generateContent), one behavior at a time.

with gemini_server() as gemini:
    gemini.script = [busy(2), Says(caption="A cat.")]   # 429 first; the last one stays
    … GEMINI_BASE_URL = gemini.url …
    gemini.requests[0].picture                         # the bytes that were sent
"""

import base64
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tests.support.http_server import Handler, serve

KEY = "gemini-key-of-the-tests"
MODEL = "gemini-of-the-tests"
SAFE = {"adult": "unlikely", "violence": "unlikely", "hate": "unlikely", "personal_data": "possible"}


@dataclass(frozen=True)
class Request:
    """A received request."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def picture(self) -> bytes:
        """The picture in the request."""
        (data,) = [part["inlineData"] for part in self.parts if "inlineData" in part]
        # Google accepts both spellings of a field, and both alphabets of base64.
        assert data.get("mimeType", data.get("mime_type")) == "image/jpeg"
        return base64.b64decode(data["data"].translate(str.maketrans("-_", "+/")), validate=True)

    @property
    def parts(self) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = self.body["contents"][0]["parts"]
        return parts


class Behaviour:
    """The response to one request: late or at once."""

    def __init__(self, status: int, body: Any, seconds: float = 0) -> None:
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.seconds = seconds


class Says(Behaviour):
    """200, with a description that follows the schema, or with any other ``text``."""

    def __init__(
        self,
        caption: str = "A red square on a table.",
        text: str | None = None,
        finish_reason: str = "STOP",
        seconds: float = 0,
    ) -> None:
        tags, text_seen = ["Red", "square", "red"], "こんにちは HELLO"
        value = {"caption": caption, "tags": tags, "text_seen": text_seen, "safety": SAFE}
        said = json.dumps(value, ensure_ascii=False) if text is None else text
        content = {"role": "model", "parts": [{"text": said}]}
        candidate = {"content": content, "finishReason": finish_reason, "index": 0}
        usage = {"promptTokenCount": 300, "candidatesTokenCount": 40, "totalTokenCount": 340}
        answer = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": f"{MODEL}-001"}
        super().__init__(200, answer, seconds)


class Slow(Says):
    """Responds late."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds=seconds)


class Blocks(Behaviour):
    """200, with only the reason for blocking."""

    def __init__(self, reason: str = "SAFETY") -> None:
        self.reason = reason
        super().__init__(200, {"promptFeedback": {"blockReason": reason}, "modelVersion": MODEL})


class Garbage(Behaviour):
    """200, with a body that is not JSON."""

    def __init__(self, body: bytes = b"<html>proxy error</html>") -> None:
        super().__init__(200, body)


class Fails(Behaviour):
    """An error in Gemini's format."""

    def __init__(self, code: int, status: str = "INTERNAL", **detail: str) -> None:
        details = {"details": [{"@type": "type.googleapis.com/google.rpc.…", **detail}]} if detail else {}
        super().__init__(code, {"error": {"code": code, "message": "…", "status": status, **details}})


def busy(seconds: float | None = None) -> Fails:
    """429, with or without the time to wait."""
    return Fails(429, "RESOURCE_EXHAUSTED", **({"retryDelay": f"{seconds}s"} if seconds else {}))


def refuses_key() -> Fails:
    """400, for an invalid key."""
    return Fails(400, "INVALID_ARGUMENT", reason="API_KEY_INVALID")


class GeminiServer:
    """Responds to each request with the next behavior in ``script``. The last one repeats."""

    def __init__(self) -> None:
        self.url = ""
        self.script: list[Behaviour] = [Says()]
        self.requests: list[Request] = []
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Behaviour:
        with self._lock:
            self.requests.append(request)
            behaviour = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return behaviour if request.headers.get("x-goog-api-key") == KEY else refuses_key()


@contextmanager
def gemini_server() -> Iterator[GeminiServer]:
    """A server on a free port, until the end of the block."""
    found = _Handler.gemini = GeminiServer()
    with serve(_Handler) as found.url:
        yield found


class _Handler(Handler):
    gemini: GeminiServer

    def respond(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.gemini.handle(Request(self.path, headers, json.loads(self.read_body())))
        time.sleep(answer.seconds)
        with suppress(OSError):  # the client did not wait
            self.answer(answer.status, answer.body, content_type="application/json; charset=UTF-8")
