"""Invokes the functions directly, without HTTP, with events like those of API Gateway."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

from tests.support.answers import Answer, parse
from tests.support.events import API_KEY, STAGE, Event, Query, handle, make_event
from tests.support.multipart import upload_body
from tests.support.openapi import find_codes, statuses_of_codes


def send(event: Event) -> Answer:
    """Invoke the function, and check that openapi.json describes the error, if it returns one."""
    answer = parse(handle(event))
    if answer.status >= 400 and answer.body and "error" in answer.body:
        assert statuses_of_codes()[answer.code] == answer.status
        codes = find_codes(event["httpMethod"].lower(), event["resource"])
        assert codes is None or answer.code in codes, answer.code
    return answer


def get(path: str, query: Query = (), *, key: str | None = API_KEY) -> Answer:
    return send(make_event("GET", path, _key(key), query))


def upload(data: bytes, metadata: Mapping[str, Any] | str | bytes | None = None, **options: Any) -> Answer:
    """POST /api/upload, with the options of :func:`upload_event`."""
    return send(upload_event(data, metadata, **options))


def upload_event(
    data: bytes,
    metadata: Mapping[str, Any] | str | bytes | None = None,
    filename: str | None = "picture.jpg",
    idempotency_key: str | None = None,
    on_duplicate: str | None = None,
) -> Event:
    body, content_type = upload_body(data, filename, metadata)
    headers = {"Content-Type": content_type}
    if idempotency_key is not None:
        headers["Idempotency-Key"] = idempotency_key
    return upload_form_event(body, headers, {"on_duplicate": on_duplicate} if on_duplicate else {})


def upload_form(body: bytes, content_type: str | None) -> Answer:
    """POST /api/upload with a body of any kind."""
    return send(upload_form_event(body, {"Content-Type": content_type} if content_type else {}))


def upload_form_event(body: bytes, headers: Mapping[str, str], query: Query = ()) -> Event:
    return make_event("POST", "/api/upload", _key(API_KEY) | dict(headers), query, body)


def _key(key: str | None) -> dict[str, str]:
    return {} if key is None else {"X-API-Key": key}


def fetch_link(url: str) -> bytes:
    """Follow a link's redirect to the store; returns the bytes."""
    parts = urlsplit(url)
    path = parts.path.removeprefix(f"/{STAGE}")
    answer = send(make_event("GET", path, query=parse_qsl(parts.query)))
    assert answer.status == 302
    with urlopen(answer.headers["location"][0], timeout=10) as response:
        data: bytes = response.read()
        return data
