"""Keys that were created with another key expire and are revoked with it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from imageapi.database import locks
from imageapi.model.scopes import MANAGE

from tests.integration.client import get, send
from tests.integration.key_requests import ask_keys, make_key, post_key, revoke_key
from tests.integration.lifecycle import forget
from tests.integration.stores import Configure, Stores
from tests.support.answers import Answer
from tests.support.events import API_KEY, make_event


def make_with(maker: dict[str, Any], **values: Any) -> Answer:
    return post_key({"name": "child", "scopes": [MANAGE]} | values, key=maker["key"])


def make_family() -> list[dict[str, Any]]:
    """A key, its child and its grandchild."""
    family = [make_key(MANAGE)]
    for _ in range(2):
        family.append(make_with(family[-1]).body["data"])
    return family


def works(key: dict[str, Any]) -> bool:
    return get("/api/keys/self", key=key["key"]).status == 200


def revoke_but_keep(key: dict[str, Any]) -> Answer:
    path = f"/api/keys/{key['id']}"
    return send(make_event("DELETE", path, {"X-API-Key": API_KEY}, {"keep_descendants": "true"}))


def test_a_revoked_key_takes_its_descendants_along_and_each_is_in_the_feed(stores: Stores) -> None:
    family, other = make_family(), make_key(MANAGE)
    makers = ["root", family[0]["id"], family[1]["id"], "root"]
    assert [key["created_by"] for key in [*family, other]] == makers
    assert [key["created_by"] for key in get("/api/keys").body["keys"]] == makers[::-1]

    assert revoke_key(family[0]["id"]).status == 204

    assert [works(key) for key in [*family, other]] == [False, False, False, True]
    revoked = [change for change in stores.changes() if change["type"] == "key.revoked"]
    assert {row["before"]["id"] for row in revoked} == {key["id"] for key in family}
    assert len({row["request_id"] for row in revoked}) == 1


def test_no_key_outlives_the_one_that_created_it(stores: Stores) -> None:
    family, soon = make_family(), "2980-01-01T00:00:00.000Z"

    assert ask_keys("PATCH", f"/{family[1]['id']}", {"expires_at": soon}).status == 200

    found = [ask_keys("GET", f"/{key['id']}").body["data"]["expires_at"] for key in family]
    assert found == [None, soon, soon]
    grandchild = f"/{family[2]['id']}"
    assert ask_keys("PATCH", grandchild, {"expires_at": "2990-01-01"}).error == (422, "field_invalid")
    assert ask_keys("PATCH", grandchild, {"expires_at": None}).body["data"]["expires_at"] == soon


def test_descendants_can_be_kept_and_revoked_later(stores: Stores) -> None:
    family = make_family()

    assert revoke_but_keep(family[0]).status == 204
    assert [works(key) for key in family] == [False, True, True]
    assert revoke_but_keep(family[0]).status == 204
    assert [works(key) for key in family] == [False, True, True]

    assert revoke_key(family[0]["id"]).status == 204
    assert [works(key) for key in family] == [False, False, False]


def test_a_maker_stays_in_the_list_for_as_long_as_its_descendants(
    stores: Stores, configure: Configure
) -> None:
    """If its own maker is revoked later, the service finds the descendants through it."""
    configure(CHANGES_DAYS="10")
    first, second, third = make_family()
    revoke_but_keep(second)
    stores.execute(
        "UPDATE api_keys SET revoked_at = now() - interval '11 days' WHERE id = %s", (second["id"],)
    )

    forget()
    revoke_key(first["id"])
    assert not works(third)

    stores.execute("UPDATE api_keys SET revoked_at = now() - interval '11 days'")
    for _ in range(3):
        forget()
    assert get("/api/keys").body["keys"] == []


def test_no_key_is_made_with_one_that_is_being_revoked(stores: Stores) -> None:
    """The check of the maker's key passes, but the revocation commits first."""
    maker = make_key(MANAGE)
    with stores.postgres.connect() as other, other.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", (locks.API_KEYS,))
        answer = pool.submit(make_with, maker)
        stores.wait_for_lock()
        cursor.execute("UPDATE api_keys SET revoked_at = now() WHERE id = %s", (maker["id"],))
        other.commit()
        assert answer.result().error == (401, "api_key_invalid")
    other.close()

    assert answer.result().body["error"]["details"] == {"reason": "revoked"}
    assert len(get("/api/keys").body["keys"]) == 1


def test_a_key_expires_no_later_than_its_maker(stores: Stores) -> None:
    end, earlier, later = (f"2990-01-0{day}T00:00:00.000Z" for day in (2, 1, 3))
    maker = make_key(MANAGE, expires_at=end)

    assert make_with(maker).body["data"]["expires_at"] == end
    made = make_with(maker, expires_at=earlier).body["data"]
    assert made["expires_at"] == earlier

    path = f"/{made['id']}"
    for refused in (
        make_with(maker, expires_at=later),
        ask_keys("PATCH", path, {"expires_at": later}, key=maker["key"]),
    ):
        assert refused.error == (422, "field_invalid")
        assert refused.body["error"]["details"] == {"field": "expires_at", "reason": "value", "max": end}
    changed = ask_keys("PATCH", path, {"expires_at": None}, key=maker["key"])
    assert changed.body["data"]["expires_at"] == end


@pytest.mark.parametrize("expires_in", [None, timedelta(days=6), timedelta(days=8)])
def test_no_key_lives_longer_than_key_max_days(
    stores: Stores, configure: Configure, expires_in: timedelta | None
) -> None:
    configure(KEY_MAX_DAYS="7")
    now = datetime.now(UTC)
    wanted = {"expires_at": (now + expires_in).isoformat()} if expires_in else {}

    answer = post_key({"name": "shop", "scopes": [MANAGE]} | wanted)

    if expires_in == timedelta(days=8):
        assert answer.error == (422, "field_invalid")
        return
    expires_at = datetime.fromisoformat(answer.body["data"]["expires_at"])
    assert abs(expires_at - now - (expires_in or timedelta(days=7))) < timedelta(seconds=30)
