"""Requests straight to the functions: no HTTP, but the events that API Gateway would make of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

from tests.support.events import API_KEY, STAGE, Event, Query, handle, make_event
from tests.support.multipart import upload_body


@dataclass(frozen=True)
class Answer:
    """What a function answered; JSON is parsed, any other body is text, and None is none."""

    status: int
    headers: dict[str, list[str]]
    body: Any

    @property
    def code(self) -> str:
        """The code of the error that this answer is."""
        return str(self.body["error"]["code"])

    @property
    def image(self) -> dict[str, Any]:
        """The image that this answer is."""
        image: dict[str, Any] = self.body["data"]
        return image


def send(event: Event) -> Answer:
    """Let the function answer. What is true of every answer is checked here."""
    return parse(handle(event))


def parse(response: dict[str, Any]) -> Answer:
    """Read a function's response; an error has to have the error shape."""
    headers = {name.lower(): value for name, value in response["multiValueHeaders"].items()}
    assert headers["x-request-id"][0]
    body: Any = response["body"] or None
    if body and headers["content-type"][0].startswith("application/json"):
        body = json.loads(body)
    if response["statusCode"] >= 400 and "checks" not in body:
        assert set(body) == {"error"}
        assert {"code", "message"} <= set(body["error"])
    return Answer(response["statusCode"], headers, body)


def get(path: str, query: Query = (), *, key: str | None = API_KEY) -> Answer:
    """GET with the API key."""
    return send(make_event("GET", path, _key(key), query))


def upload(
    data: bytes,
    metadata: Mapping[str, Any] | str | bytes | None = None,
    *,
    filename: str | None = "picture.jpg",
    idempotency_key: str | None = None,
    on_duplicate: str | None = None,
) -> Answer:
    """POST /api/upload."""
    return send(upload_event(data, metadata, filename, idempotency_key, on_duplicate))


def upload_event(
    data: bytes,
    metadata: Mapping[str, Any] | str | bytes | None = None,
    filename: str | None = "picture.jpg",
    idempotency_key: str | None = None,
    on_duplicate: str | None = None,
) -> Event:
    """The event of :func:`upload`."""
    body, content_type = upload_body(data, filename, metadata)
    headers = {"Content-Type": content_type}
    if idempotency_key is not None:
        headers["Idempotency-Key"] = idempotency_key
    return upload_form_event(body, headers, {"on_duplicate": on_duplicate} if on_duplicate else {})


def upload_form(body: bytes, content_type: str | None) -> Answer:
    """POST /api/upload with a body of any kind."""
    return send(upload_form_event(body, {"Content-Type": content_type} if content_type else {}))


def upload_form_event(body: bytes, headers: Mapping[str, str], query: Query = ()) -> Event:
    """The event of :func:`upload_form`."""
    return make_event("POST", "/api/upload", _key(API_KEY) | dict(headers), query, body)


def _key(key: str | None) -> dict[str, str]:
    return {} if key is None else {"X-API-Key": key}


def fetch_link(url: str) -> bytes:
    """The bytes behind a delivery link: the function's redirect, followed to the store."""
    parts = urlsplit(url)
    path = parts.path.removeprefix(f"/{STAGE}")
    answer = send(make_event("GET", path, query=parse_qsl(parts.query)))
    assert answer.status == 302
    with urlopen(answer.headers["location"][0], timeout=10) as response:
        data: bytes = response.read()
        return data
