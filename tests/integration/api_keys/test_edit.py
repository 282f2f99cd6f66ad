"""API keys: reads, conditional changes and revocations, pages, and repeated creation requests."""

from imageapi.catalog import api_keys

from tests.integration.client import get
from tests.integration.key_requests import ask_keys, make_key, revoke_key
from tests.integration.stores import Stores
from tests.support.events import API_KEY, as_manager, make_event
from tests.support.worker import answer_at_once, workers

VALUES = {"name": "shop", "scopes": ["images:read"]}


def test_a_key_is_changed_at_its_version(stores: Stores) -> None:
    answer = ask_keys("POST", values=VALUES)
    made, etag = answer.body["data"], answer.headers["etag"][0]
    secret, path = made.pop("key"), f"/{made['id']}"
    assert answer.headers["cache-control"] == ["no-store"]

    found = ask_keys("GET", path.upper())
    assert (found.body["data"], found.headers["etag"]) == (made, [etag])

    changed = ask_keys("PATCH", path, {"name": " new "}, If_Match=etag)
    assert (changed.body["data"]["name"], changed.body["data"]["version"]) == ("new", 2)
    assert ask_keys("PATCH", path, {}, If_Match='"2"').body["data"] == changed.body["data"]
    prolonged = ask_keys("PATCH", path, {"expires_at": "2999-01-01"}, If_Match='"1", "2"').body["data"]
    assert (prolonged["expires_at"], prolonged["version"]) == ("2999-01-01T00:00:00.000Z", 3)

    get("/api/keys/self", key=secret)  # records the use, without a new version
    used = ask_keys("GET", path, If_None_Match=changed.headers["etag"][0])
    assert (used.status, used.body["data"]["version"], bool(used.body["data"]["last_used_at"])) == (
        200,
        3,
        True,
    )

    assert ask_keys("DELETE", path, If_Match='"3"').status == 204
    assert ask_keys("GET", path).body["data"]["version"] == 4
    assert [(row["type"], row["version"]) for row in stores.changes(made["id"])] == [
        ("key.created", 1),
        ("key.changed", 2),
        ("key.changed", 3),
        ("key.revoked", 4),
    ]


def test_invalid_changes(stores: Stores) -> None:
    made = make_key("images:read")
    for field, value, reason in (("name", "a\n", "characters"), ("expires_at", "2001-01-01", "value")):
        refused = ask_keys("PATCH", f"/{made['id']}", {field: value})
        assert refused.error == (422, "field_invalid")
        assert refused.body["error"]["details"].items() >= {"field": field, "reason": reason}.items()
    assert ask_keys("GET", f"/{made['id']}").body["data"]["version"] == 1


def test_nobody_prolongs_a_key_that_can_do_more(stores: Stores) -> None:
    strong = make_key("images:read", "images:delete", "keys:manage")
    weak = make_key("images:read", "keys:manage")["key"]
    for body in ({"expires_at": "2980-01-01"}, {"name": "x", "expires_at": None}):
        refused = ask_keys("PATCH", f"/{strong['id']}", body, key=weak)
        assert refused.error == (403, "scope_missing")
        assert refused.body["error"]["details"] == {"scope": "images:delete"}
    assert ask_keys("PATCH", f"/{strong['id']}", {"name": "x"}, key=weak).body["data"]["version"] == 2


def test_pages(stores: Stores) -> None:
    made = [make_key("images:read")["id"] for _ in range(5)]
    seen, query = [], {"limit": "2"}
    for expected in (2, 2, 1):
        page = get("/api/keys", query)
        assert len(page.body["keys"]) == expected
        seen += [key["id"] for key in page.body["keys"]]
        query["cursor"] = page.body["next_cursor"]
        assert ("link" in page.headers) == bool(query["cursor"])
    assert query["cursor"] is None
    assert seen == made[::-1]
    of_keys = get("/api/keys", {"limit": "2"}).body["next_cursor"]
    assert get("/api/webhooks", {"cursor": of_keys}).error == (400, "cursor_mismatch")


def test_an_idempotency_key_makes_one_key_and_shows_it_once(stores: Stores) -> None:
    first = ask_keys("POST", values=VALUES, Idempotency_Key="once")
    made = first.body["data"]
    again = ask_keys("POST", values=dict(reversed(VALUES.items())), Idempotency_Key="once")
    assert (again.status, again.body["data"]) == (200, made | {"key": None})
    assert again.headers["etag"] == first.headers["etag"]

    revoke_key(made["id"])
    again = ask_keys("POST", values=VALUES, Idempotency_Key="once")
    assert (again.status, bool(again.body["data"]["revoked_at"])) == (200, True)
    with as_manager():
        api_keys.remove_revoked(0)
    assert stores.idempotency_keys() == []
    assert ask_keys("POST", values=VALUES, Idempotency_Key="once").status == 201


def test_requests_at_once_with_one_idempotency_key_make_one_key(stores: Stores) -> None:
    headers = {"X-API-Key": API_KEY, "Idempotency-Key": "once"}
    with workers(stores.environment, 4) as processes:
        event = make_event("POST", "/api/keys", headers, body='{"name": "a", "scopes": ["images:read"]}')
        answers = answer_at_once(processes, event)
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 201]
    assert len({answer.body["data"]["id"] for answer in answers}) == 1
    assert len(get("/api/keys").body["keys"]) == 1
