"""Requests to the routes of webhooks, and the steps of a delivery."""

import json
from typing import Any

from imageapi.model.change_types import CHANGE_TYPES

from tests.integration.client import send
from tests.integration.stores import Stores
from tests.support.answers import Answer
from tests.support.events import API_KEY, LambdaContext, load_handler, make_event

IMAGES = [name for name in CHANGE_TYPES if name.startswith("image.")]


def ask(method: str, path: str = "", body: str = "", *, key: str = API_KEY) -> Answer:
    """A request to /api/webhooks and ``path``."""
    return send(make_event(method, f"/api/webhooks{path}", {"X-API-Key": key}, body=body))


def create(url: str, *types: str, key: str = API_KEY) -> dict[str, Any]:
    """Create a webhook; returns it with its secret. By default, it gets all changes of images."""
    answer = ask("POST", body=json.dumps({"url": url, "types": types or IMAGES}), key=key)
    assert answer.status == 201, answer.body
    found: dict[str, Any] = answer.body["data"]
    return found


def get(webhook: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = ask("GET", f"/{webhook['id']}").body["data"]
    return found


def add_changes(stores: Stores, count: int, kind: str = "image.changed") -> list[int]:
    """Add changes to the feed; returns their sequence numbers."""
    stores.execute(
        """INSERT INTO changes_unnumbered (type, subject_id, version, before, after)
           SELECT %s, gen_random_uuid(), number, '{"title": "a"}', '{"title": "猫"}'
           FROM generate_series(1, %s) AS number""",
        (kind, count),
    )
    return [row["sequence"] for row in stores.changes()][-count:]


def shift(stores: Stores, column: str, interval: str) -> None:
    """Move a time of all webhooks into the past."""
    stores.execute(f"UPDATE webhooks SET {column} = {column} - interval '{interval}'")


def take() -> list[dict[str, Any]]:
    return _invoke("ManageFunction", {"take": True})["deliveries"]  # type: ignore[no-any-return]


def send_taken(deliveries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return _invoke("OutsideFunction", {"deliveries": deliveries})["settle"]  # type: ignore[no-any-return]


def settle(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    return _invoke("ManageFunction", {"settle": outcomes})  # type: ignore[no-any-return]


def deliver() -> dict[str, Any]:
    """Take, send and settle once."""
    return settle(send_taken(take()))


def _invoke(function: str, event: dict[str, Any]) -> Any:
    return load_handler(function)(event, LambdaContext())
