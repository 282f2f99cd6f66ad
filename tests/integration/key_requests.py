"""API keys for tests."""

import json
from typing import Any

from tests.integration.client import send
from tests.support.answers import Answer
from tests.support.events import API_KEY, make_event


def post_key(values: Any, *, key: str = API_KEY) -> Answer:
    """POST /api/keys."""
    body = values if isinstance(values, str) else json.dumps(values)
    return send(make_event("POST", "/api/keys", {"X-API-Key": key}, body=body))


def make_key(*scopes: str, **values: Any) -> dict[str, Any]:
    """A new key, as POST /api/keys answers it: its ``id``, the ``key`` itself…"""
    answer = post_key({"name": "test", "scopes": scopes} | values)
    assert answer.status == 201, answer.text
    made: dict[str, Any] = answer.body["data"]
    return made


def revoke_key(key_id: str, *, key: str = API_KEY) -> Answer:
    """DELETE /api/keys/{id}."""
    return send(make_event("DELETE", f"/api/keys/{key_id}", {"X-API-Key": key}))
