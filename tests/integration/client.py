"""Invokes the functions directly, without HTTP, with events like those of API Gateway."""

from collections.abc import Mapping
from typing import Any

from tests.support.answers import Answer, parse
from tests.support.events import API_KEY, Event, Query, handle, make_event
from tests.support.multipart import upload_body
from tests.support.openapi import find_codes, statuses_of_codes

Json = dict[str, Any]
"""An object, such as the image in a response."""


def send(event: Event) -> Answer:
    """Invoke the function, and check that openapi.json describes the error, if it returns one."""
    answer = parse(handle(event))
    if answer.status >= 400 and answer.body and "error" in answer.body:
        assert statuses_of_codes()[answer.code] == answer.status
        codes = find_codes(event["httpMethod"].lower(), event["resource"])
        assert codes is None or answer.code in codes, answer.code
    return answer


def get(path: str, query: Query = (), *, key: str | None = API_KEY) -> Answer:
    return send(make_event("GET", path, {} if key is None else {"X-API-Key": key}, query))


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
    headers = {"X-API-Key": API_KEY, "Content-Type": content_type}
    if idempotency_key is not None:
        headers["Idempotency-Key"] = idempotency_key
    query = {"on_duplicate": on_duplicate} if on_duplicate else {}
    return make_event("POST", "/api/upload", headers, query, body)
