"""A restore of the database revives revoked keys. So all keys are suspended until somebody confirms them."""

from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.database import db
from imageapi.model.scopes import MANAGE, READ

from tests.faults.moments import Moments, moments
from tests.integration.client import get, send
from tests.integration.database.migrating import invoke
from tests.integration.key_requests import make_key, revoke_key
from tests.integration.stores import Configure, Stores
from tests.support.answers import Answer
from tests.support.events import API_KEY, make_event


@pytest.fixture
def restorable(stores: Stores, configure: Configure) -> Iterator[Moments]:
    """The service with a database of its own, as after a deploy."""
    with moments(stores, "restored") as made:
        made.stores.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        configure(**made.stores.environment)
        assert invoke()["suspended_keys"] == 0
        yield made
        db.close()


def restore(made: Moments, moment: str) -> None:
    db.close()
    made.restore(moment)


def take(made: Moments) -> str:
    db.close()
    return made.take()


def own(key: dict[str, Any]) -> Answer:
    return get("/api/keys/self", key=key["key"])


def confirm(key: dict[str, Any], *, with_key: str = API_KEY) -> Answer:
    return send(make_event("POST", f"/api/keys/{key['id']}/confirm", {"X-API-Key": with_key}))


def test_a_revoked_key_of_a_backup_answers_nothing_until_it_is_confirmed(restorable: Moments) -> None:
    leaked, good = make_key(READ, name="leaked"), make_key(READ, MANAGE, name="good")
    moment = take(restorable)
    assert revoke_key(leaked["id"]).status == 204

    restore(restorable, moment)
    assert invoke()["suspended_keys"] == 2

    for key in (leaked, good):
        assert own(key).error == (403, "api_key_suspended")
        assert "make keys-confirm" in own(key).body["error"]["message"]
    assert confirm(good, with_key=good["key"]).error == (403, "api_key_suspended")
    new, weak = make_key(READ, name="new"), make_key(MANAGE, name="weak")
    assert confirm(leaked, with_key=weak["key"]).error == (403, "scope_missing")
    listed = get("/api/keys").body["keys"]
    assert {key["name"]: bool(key["suspended_at"]) for key in listed} == {
        "new": False,
        "weak": False,
        "good": True,
        "leaked": True,
    }

    confirmed = confirm(good)
    assert (confirmed.status, confirmed.body["data"]["suspended_at"]) == (200, None)
    assert revoke_key(leaked["id"]).status == 204

    assert own(good).status == own(new).status == 200
    assert own(leaked).error == (401, "api_key_invalid")
    assert confirm(good).error == confirm(leaked).error == (409, "key_not_suspended")
    assert confirm({"id": "x"}).error == (404, "key_not_found")
    assert invoke()["suspended_keys"] == 0, "a later deploy suspends nothing"
    changes = get("/api/changes", key=good["key"]).body["changes"]
    suspended = [c for c in changes if c["type"] == "key.changed" and c["subject_id"] == good["id"]]
    moments_of = [(bool(c["before"]["suspended_at"]), bool(c["after"]["suspended_at"])) for c in suspended]
    assert moments_of == [(False, True), (True, False)]
    assert [c["key_id"] for c in suspended] == [None, "root"]


def test_a_cluster_from_a_snapshot_is_known_by_its_address(stores: Stores, configure: Configure) -> None:
    """PostgreSQL itself cannot distinguish it from the original cluster."""
    configure(DATABASE_SERVER="cluster-1.example")
    key = make_key(READ)
    assert [invoke()["suspended_keys"] for _ in range(2)] == [0, 0]

    configure(DATABASE_SERVER="cluster-2.example")
    assert [invoke()["suspended_keys"] for _ in range(2)] == [1, 0]
    assert own(key).error == (403, "api_key_suspended")
    assert get("/api/keys").body["keys"][0]["last_used_at"] is None
