"""Making, listing and revoking API keys."""

import json

import pytest
from imageapi.api_keys.format import SHOWN, hash_key, is_well_formed
from imageapi.model.scopes import SCOPES

from tests.integration.client import get
from tests.integration.key_requests import make_key, post_key, revoke_key
from tests.integration.stores import Stores
from tests.support.events import API_KEY

FIELDS = {"id", "name", "scopes", "prefix", "created_by", "created_at"}
FIELDS |= {"expires_at", "revoked_at", "suspended_at", "last_used_at"}


def test_a_new_key_is_shown_once_and_stored_as_its_hash(stores: Stores) -> None:
    answer = post_key({"name": " 写真店 ", "scopes": ["keys:manage", "images:read", "images:read"]})

    made = answer.body["data"]
    assert answer.status == 201
    assert set(made) == FIELDS | {"key"}
    assert is_well_formed(made["key"])
    assert (made["name"], made["scopes"]) == ("写真店", ["images:read", "keys:manage"])
    assert made["prefix"] == made["key"][:SHOWN]
    assert made["expires_at"] is made["revoked_at"] is made["last_used_at"] is None
    (listed,) = get("/api/keys").body["keys"]
    assert listed == {name: value for name, value in made.items() if name != "key"}
    (row,) = stores.execute("SELECT * FROM api_keys")
    assert bytes(row["sha256"]) == hash_key(made["key"])
    assert made["key"] not in str(row)


def test_keys_are_listed_newest_first_with_those_revoked(stores: Stores) -> None:
    made = [make_key("images:read", name=str(number)) for number in range(3)]
    revoke_key(made[1]["id"])

    listed = get("/api/keys").body["keys"]

    assert [key["name"] for key in listed] == ["2", "1", "0"]
    assert [key["revoked_at"] is not None for key in listed] == [False, True, False]


def test_a_key_expires_when_its_maker_says(stores: Stores) -> None:
    made = make_key("images:read", expires_at="2099-01-31T18:30:00+09:00")

    assert made["expires_at"] == "2099-01-31T09:30:00+00:00"
    own = get("/api/keys/self", key=made["key"]).body["data"]
    assert own == {name: made[name] for name in ("id", "name", "scopes", "expires_at")} | {"trash_days": 30}


def test_the_root_key_describes_itself_and_is_in_no_list(stores: Stores) -> None:
    own = get("/api/keys/self").body["data"]

    named = {"id": "root", "name": "API_KEY", "scopes": list(SCOPES)}
    assert own == named | {"expires_at": None, "trash_days": 30}
    assert get("/api/keys").body == {"keys": []}
    assert revoke_key("root").error == (404, "key_not_found")
    assert revoke_key("self").error == (404, "key_not_found")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "body_not_json"),
        ("[]", 422, "body_not_an_object"),
        (json.dumps({"name": "x", "scopes": ["images:all"]}), 422, "scope_unknown"),
        (json.dumps({"name": "x", "scopes": []}), 422, "key_invalid"),
    ],
)
def test_a_refused_request_makes_no_key(stores: Stores, body: str, status: int, code: str) -> None:
    assert post_key(body).error == (status, code)
    assert get("/api/keys").body == {"keys": []}
    assert stores.changes() == []


def test_query_parameters_are_refused(stores: Stores) -> None:
    for path in ("/api/keys", "/api/keys/self"):
        assert get(path, {"limit": "1"}).error == (400, "parameter_unknown")


def test_a_key_is_revoked_once(stores: Stores) -> None:
    made = make_key("images:read")

    assert revoke_key(made["id"].upper()).status == 204
    assert revoke_key(made["id"]).error == (409, "key_already_revoked")
    assert [change["type"] for change in stores.changes()].count("key.revoked") == 1


@pytest.mark.parametrize("key_id", ["0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e", "x", "0" * 36, "%00"])
def test_a_key_that_is_not_there_is_not_found(stores: Stores, key_id: str) -> None:
    assert revoke_key(key_id).error == (404, "key_not_found")


def test_the_feed_tells_who_made_and_revoked_a_key_and_no_secret(stores: Stores) -> None:
    manager = make_key(*SCOPES)
    made = post_key({"name": "shop", "scopes": ["images:read"]}, key=manager["key"]).body["data"]
    revoke_key(made["id"])

    *_, created, revoked = stores.changes()

    shown = {"id": made["id"], "name": "shop", "scopes": ["images:read"], "expires_at": None}
    assert (created["type"], created["key_id"], created["after"]) == ("key.created", manager["id"], shown)
    assert (revoked["type"], revoked["key_id"], revoked["before"]) == ("key.revoked", "root", shown)
    assert created["before"] is revoked["after"] is None
    assert created["subject_id"] == revoked["subject_id"] == made["id"]
    for secret in (API_KEY, made["key"], hash_key(made["key"]).hex()):
        assert secret not in str((created, revoked))
