"""A server that speaks Gemini's protocol (POST /v1/models/{model}:generateContent), one behaviour at a time.

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
from dataclasses import dataclass, field
from typing import Any, Protocol

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


class Behaviour(Protocol):
    """How one request is answered: a status and a body."""

    def answer(self) -> tuple[int, bytes]: ...


@dataclass(frozen=True)
class Says:
    """200, with a description that follows the schema, or with any other ``text``."""

    caption: str = "A red square on a table."
    tags: tuple[str, ...] = ("Red", "square", "red")
    text_seen: str = "こんにちは HELLO"
    safety: Mapping[str, str] = field(default_factory=lambda: dict(SAFE))
    text: str | None = None
    finish_reason: str = "STOP"

    def answer(self) -> tuple[int, bytes]:
        value = {
            "caption": self.caption,
            "tags": list(self.tags),
            "text_seen": self.text_seen,
            "safety": dict(self.safety),
        }
        text = json.dumps(value, ensure_ascii=False) if self.text is None else self.text
        return 200, encode(
            {
                "candidates": [
                    {
                        "content": {"role": "model", "parts": [{"text": text}]},
                        "finishReason": self.finish_reason,
                        "index": 0,
                    }
                ],
                "usageMetadata": {
                    "promptTokenCount": 300,
                    "candidatesTokenCount": 40,
                    "totalTokenCount": 340,
                },
                "modelVersion": f"{MODEL}-001",
                "responseId": "mAITaLmkHPPlz7IPvtfUqQ4",
            }
        )


@dataclass(frozen=True)
class Fails:
    """An error in Gemini's format."""

    code: int
    status: str = "INTERNAL"
    message: str = "An internal error has occurred."
    details: tuple[Mapping[str, Any], ...] = ()

    def answer(self) -> tuple[int, bytes]:
        error = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = list(self.details)
        return self.code, encode({"error": error})


def busy(seconds: float | None = None) -> Fails:
    """429, with or without the time to wait."""
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds}s"}
    details: tuple[Mapping[str, Any], ...] = (info,) if seconds else ()
    return Fails(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", details)


def refuses_key() -> Fails:
    """400, for an invalid key."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    return Fails(400, "INVALID_ARGUMENT", "API key not valid.", (info,))


@dataclass(frozen=True)
class Blocks:
    """200, with only the reason for blocking."""

    reason: str = "SAFETY"

    def answer(self) -> tuple[int, bytes]:
        return 200, encode({"promptFeedback": {"blockReason": self.reason}, "modelVersion": MODEL})


@dataclass(frozen=True)
class Slow:
    """Answers, but late."""

    seconds: float

    def answer(self) -> tuple[int, bytes]:
        time.sleep(self.seconds)
        return Says().answer()


@dataclass(frozen=True)
class Garbage:
    """200, with a body that is not JSON."""

    body: bytes = b"<html>proxy error</html>"

    def answer(self) -> tuple[int, bytes]:
        return 200, self.body


class GeminiServer:
    """Answers each request with the next behaviour of ``script``; the last one repeats."""

    def __init__(self) -> None:
        self.url = ""
        self.script: list[Behaviour] = [Says()]
        self.requests: list[Request] = []
        self._lock = threading.Lock()

    def handle(self, request: Request) -> tuple[int, bytes]:
        with self._lock:
            self.requests.append(request)
            behaviour = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if request.headers.get("x-goog-api-key") != KEY:
            behaviour = refuses_key()
        return behaviour.answer()


@contextmanager
def gemini_server() -> Iterator[GeminiServer]:
    """A server on a free port, until the end of the block."""
    found = _Handler.gemini = GeminiServer()
    with serve(_Handler) as found.url:
        yield found


def encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


class _Handler(Handler):
    gemini: GeminiServer

    def respond(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, answer = self.gemini.handle(Request(self.path, headers, json.loads(self.read_body())))
        with suppress(OSError):  # the client did not wait
            self.answer(status, answer, content_type="application/json; charset=UTF-8")
