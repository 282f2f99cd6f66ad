"""Creating, listing and revoking API keys."""

import pytest
from imageapi.api_keys.format import SHOWN, hash_key, is_well_formed
from imageapi.model.scopes import SCOPES

from tests.integration.client import get
from tests.integration.key_requests import ask_keys, make_key, post_key, revoke_key
from tests.integration.stores import Stores
from tests.support.events import API_KEY

ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"


def test_a_new_key_is_shown_once_and_stored_as_its_hash(stores: Stores) -> None:
    values = {"name": " 写真店 ", "scopes": ["keys:manage", "images:read", "images:read"]}
    answer = post_key(values | {"expires_at": "2099-01-31T18:30:00+09:00"})

    made = answer.body["data"]
    assert answer.status == 201
    assert is_well_formed(made["key"])
    assert made == {
        "id": made["id"],
        "key": made["key"],
        "name": "写真店",
        "scopes": ["images:read", "keys:manage"],
        "prefix": made["key"][:SHOWN],
        "created_by": "root",
        "version": 1,
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
        "expires_at": "2099-01-31T09:30:00.000Z",
        **dict.fromkeys(("revoked_at", "suspended_at", "last_used_at")),
    }
    (listed,) = get("/api/keys").body["keys"]
    assert listed == {name: value for name, value in made.items() if name != "key"}
    (row,) = stores.execute("SELECT * FROM api_keys")
    assert bytes(row["sha256"]) == hash_key(made["key"])
    assert made["key"] not in str(row)
    own = get("/api/keys/self", key=made["key"]).body["data"]
    assert own == {name: made[name] for name in ("id", "name", "scopes", "expires_at")}


def test_keys_are_listed_newest_first_with_those_revoked(stores: Stores) -> None:
    made = [make_key("images:read", name=str(number)) for number in range(3)]

    for _ in range(2):
        assert revoke_key(made[1]["id"].upper()).status == 204

    listed = get("/api/keys").body["keys"]
    assert [(key["name"], bool(key["revoked_at"])) for key in listed] == [
        ("2", False),
        ("1", True),
        ("0", False),
    ]
    assert [change["type"] for change in stores.changes()].count("key.revoked") == 1


def test_the_root_key_describes_itself_and_is_in_no_list(stores: Stores) -> None:
    assert get("/api/keys/self").body["data"] == {
        "id": "root",
        "name": "API_KEY",
        "scopes": list(SCOPES),
        "expires_at": None,
    }
    assert get("/api/keys").body == {"keys": [], "next_cursor": None}


@pytest.mark.parametrize("key_id", ["root", ID, "x"])
def test_a_key_that_is_not_there_is_not_found(stores: Stores, key_id: str) -> None:
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/confirm")):
        body: dict[str, str] | None = {} if method == "PATCH" else None
        assert ask_keys(method, f"/{key_id}{path}", body).error == (404, "key_not_found")


def test_the_feed_tells_who_made_and_revoked_a_key_and_no_secret(stores: Stores) -> None:
    manager = make_key(*SCOPES)
    made = post_key({"name": "shop", "scopes": ["images:read"]}, key=manager["key"]).body["data"]
    revoke_key(made["id"])

    found = stores.changes(made["id"])

    shown = {"id": made["id"], "name": "shop", "scopes": ["images:read"], "expires_at": None}
    shown["suspended_at"] = None
    assert [(row["type"], row["key_id"], row["before"], row["after"]) for row in found] == [
        ("key.created", manager["id"], None, shown),
        ("key.revoked", "root", shown, None),
    ]
    for secret in (API_KEY, made["key"], hash_key(made["key"]).hex()):
        assert secret not in str(found)
