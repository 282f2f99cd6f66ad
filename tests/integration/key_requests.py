"""API keys for tests."""

import json
from typing import Any

from tests.integration.client import send
from tests.support.answers import Answer
from tests.support.events import API_KEY, make_event


def ask_keys(
    method: str, path: str = "", values: Any = None, *, key: str = API_KEY, **headers: str
) -> Answer:
    """A request to /api/keys and ``path``. ``If_Match="…"`` becomes a header."""
    sent = {"X-API-Key": key} | {name.replace("_", "-"): value for name, value in headers.items()}
    body = values if isinstance(values, str) else "" if values is None else json.dumps(values)
    return send(make_event(method, f"/api/keys{path}", sent, body=body))


def post_key(values: Any, *, key: str = API_KEY) -> Answer:
    return ask_keys("POST", values=values, key=key)


def make_key(*scopes: str, **values: Any) -> dict[str, Any]:
    """The response to POST /api/keys, with ``id`` and ``key``."""
    answer = post_key({"name": "test", "scopes": scopes} | values)
    assert answer.status == 201, answer.text
    made: dict[str, Any] = answer.body["data"]
    return made


def revoke_key(key_id: str, *, key: str = API_KEY) -> Answer:
    return ask_keys("DELETE", f"/{key_id}", key=key)
