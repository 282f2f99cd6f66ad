"""Requests of an image's life cycle: get, change, delete, presigned uploads, delivery, sweep."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import urllib3
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.delivery import links
from imageapi.storage import s3
from imageapi.sweep.run import SPARE_MILLISECONDS

from tests.integration.client import send
from tests.support.answers import Answer
from tests.support.events import (
    API_KEY,
    STAGE,
    Event,
    LambdaContext,
    Query,
    load_handler,
    load_routes,
    make_event,
)

KEY = {"X-API-Key": API_KEY}
HTTP = urllib3.PoolManager(retries=False, timeout=20)


def image_event(
    method: str,
    image_id: str,
    body: Mapping[str, Any] | str | None = None,
    headers: Mapping[str, str] | None = None,
    query: Query = (),
) -> Event:
    text = json.dumps(body) if isinstance(body, Mapping) else body or ""
    return make_event(method, f"/api/images/{image_id}", KEY | dict(headers or {}), query, text)


def trash_event(image_id: str, headers: Mapping[str, str] | None = None) -> Event:
    return image_event("DELETE", image_id, headers=headers)


def delete_event(image_id: str, headers: Mapping[str, str] | None = None) -> Event:
    """DELETE permanently."""
    return image_event("DELETE", image_id, headers=headers, query={"permanent": "true"})


def restore_event(image_id: str) -> Event:
    return make_event("POST", f"/api/images/{image_id}/restore", KEY)


def get_image(image_id: str, **headers: str) -> Answer:
    """GET an image. ``If_None_Match="…"`` becomes a header."""
    return send(image_event("GET", image_id, headers=_headers(headers)))


def patch_image(image_id: str, body: Mapping[str, Any] | str | None, **headers: str) -> Answer:
    return send(image_event("PATCH", image_id, body, _headers(headers)))


def trash_image(image_id: str, **headers: str) -> Answer:
    return send(trash_event(image_id, _headers(headers)))


def delete_for_good(image_id: str, **headers: str) -> Answer:
    return send(delete_event(image_id, _headers(headers)))


def restore_image(image_id: str) -> Answer:
    return send(restore_event(image_id))


def announce_event(data: bytes, idempotency_key: str | None = None, **changes: Any) -> Event:
    """POST /api/uploads for a file with these bytes. None omits a field."""
    values = {"filename": "写真.jpg", "size_bytes": len(data), "mime_type": "image/jpeg"} | changes
    body = json.dumps({key: value for key, value in values.items() if value is not None})
    headers = KEY | ({} if idempotency_key is None else {"Idempotency-Key": idempotency_key})
    return make_event("POST", "/api/uploads", headers, body=body)


def announce(data: bytes, idempotency_key: str | None = None, **changes: Any) -> Answer:
    return send(announce_event(data, idempotency_key, **changes))


def complete_event(image_id: str) -> Event:
    return make_event("POST", f"/api/uploads/{image_id}/complete", KEY)


def complete(image_id: str) -> Answer:
    return send(complete_event(image_id))


def post_file(form: Mapping[str, Any], data: bytes, **changes: str) -> int:
    """Post a file to the store as a browser's form does; returns the status.

    Args:
        changes: fields to send with another value: ``key="…"``, ``Content_Type="…"``.
    """
    fields: dict[str, Any] = dict(form["fields"]) | _headers(changes)
    fields["file"] = ("picture.bin", data, "application/octet-stream")
    return HTTP.request("POST", form["url"], fields=fields).status


def announce_and_post(data: bytes, idempotency_key: str | None = None, **changes: Any) -> str:
    """Register an upload and post its file to incoming/; returns the id."""
    announced = announce(data, idempotency_key, **changes)
    assert announced.status == 201
    assert post_file(announced.body["data"]["form"], data) in (200, 201, 204)
    return str(announced.body["data"]["id"])


def arrived(image_id: str) -> dict[str, Any]:
    """The event of the queue for a file in incoming/."""
    body = json.dumps({"Records": [{"s3": {"object": {"key": f"incoming/{image_id}"}}}]})
    return {"Records": [{"messageId": "1", "body": body}]}


def ingest(image_id: str) -> dict[str, Any]:
    """Run the ingest of an upload; returns the outcomes that occurred."""
    answer = load_handler("UploadFunction")(arrived(image_id), LambdaContext())
    return {name: found for name, found in answer.items() if found}


def sweep(
    *,
    dry_run: bool = False,
    compare: bool = True,
    force: bool = False,
    grace: int = -60,
    has_time: bool = True,
) -> dict[str, Any]:
    """Run SweepFunction. With a negative grace, objects of any age count as orphans.

    Args:
        has_time: whether the sweep may begin another part after its first.
    """
    event = {"dry_run": dry_run, "compare": compare, "force": force, "object_grace_seconds": grace}
    context = LambdaContext() if has_time else LambdaContext(time_left=SPARE_MILLISECONDS)
    return load_handler("SweepFunction")(event, context)


def forget() -> dict[str, Any]:
    return load_handler(load_routes()["/api/keys"])({"forget": True}, LambdaContext())


@dataclass(frozen=True)
class Delivered:
    """A redirect and its target."""

    answer: Answer
    status: int
    headers: Mapping[str, str]
    data: bytes

    @property
    def location(self) -> str:
        return self.answer.headers["location"][0]


def deliver_event(url: str, accept: str = "*/*", **query: str) -> Event:
    """A request for a link. ``query`` overrides the link's parameters."""
    parts = urlsplit(url)
    path = parts.path.removeprefix(f"/{STAGE}")
    return make_event("GET", path, {"Accept": accept}, dict(parse_qsl(parts.query)) | query)


def sign(image_id: str, variant: str, lifetime: int = 3600) -> str:
    term = links.Validity(expires=links.expires_at(time.time(), lifetime))
    return links.sign_link(image_id, variant, term, keys=get_settings().secret_keys)


def open_link(url: str, accept: str = "*/*", **query: str) -> Answer:
    """The response of DeliverFunction to a link."""
    return send(deliver_event(url, accept, **query))


def follow(answer: Answer) -> Delivered:
    """Follow the redirect to the store, over HTTP."""
    assert answer.status == 302, answer.body
    found = HTTP.request("GET", answer.headers["location"][0], redirect=False)
    return Delivered(answer, found.status, found.headers, found.data)


def fetch(url: str, accept: str = "*/*", **query: str) -> Delivered:
    """Open a link and follow it."""
    return follow(open_link(url, accept, **query))


def watch_keys(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """The keys that this process passes to a function of ``storage`` from now on."""
    keys: list[str] = []
    original = getattr(s3, name)

    def note_and_call(key: str, *args: Any, **options: Any) -> None:
        keys.append(key)
        original(key, *args, **options)

    monkeypatch.setattr(s3, name, note_and_call)
    return keys


def watch_statements(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """The statements that this process sends to the database from now on, with their values."""
    statements: list[tuple[str, Any]] = []
    fetch = db._fetch

    def note(cursor: Any, sql: Any, parameters: Any = ()) -> list[db.Row]:
        statements.append((str(sql), parameters))
        return fetch(cursor, sql, parameters)

    monkeypatch.setattr(db, "_fetch", note)
    return statements


def _headers(names: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in names.items()}
