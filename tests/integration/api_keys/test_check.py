"""The API key of a request: refused keys, and the cost of a check."""

import json
import logging
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from imageapi.api_keys import format
from imageapi.config.settings import SERVICE

from tests.integration.client import get
from tests.integration.key_requests import make_key, revoke_key
from tests.integration.lifecycle import forget, watch_statements
from tests.integration.stores import Configure, Stores
from tests.support.answers import Answer
from tests.support.events import API_KEY
from tests.support.waiting import wait_until


def own(key: str) -> Answer:
    """GET /api/keys/self. Only the check of the key uses the database."""
    return get("/api/keys/self", key=key)


def assert_refused(answer: Answer, reason: str) -> None:
    assert answer.error == (401, "api_key_invalid")
    assert answer.body["error"]["details"] == {"reason": reason}
    assert answer.headers["www-authenticate"]


def test_how_many_statements_a_check_costs(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    statements = watch_statements(monkeypatch)
    key = make_key("images:read")["key"]
    altered = key[:-1] + ("0" if key[-1] != "0" else "1")

    def count(path: str = "/api/keys/self", key: str = API_KEY) -> tuple[int, Answer]:
        del statements[:]
        answer = get(path, key=key)
        return len(statements), answer

    for wrong in (altered, "wrong"):
        cost, refused = count(key=wrong)
        assert cost == 0
        assert_refused(refused, "malformed")
    for _ in range(2):
        cost, answer = count(key=key)
        assert (cost, answer.status) == (1, 200)
    cost, refused = count("/api/keys", key=key)
    assert (cost, refused.error) == (1, (403, "scope_missing"))
    cost, answer = count()
    assert (cost, answer.status) == (0, 200), "the root key is in no table"


def test_a_key_that_is_unknown_or_revoked_is_refused_and_not_in_use(stores: Stores) -> None:
    assert_refused(own(format.make_key()), "unknown")

    made = make_key("keys:manage")
    assert revoke_key(made["id"], key=made["key"]).status == 204
    stores.execute("UPDATE api_keys SET last_used_at = NULL")

    assert_refused(own(made["key"]), "revoked")
    assert last_used(stores) is None


def test_a_key_expires_while_it_is_in_use(stores: Stores) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    key = make_key("images:read", expires_at=soon.isoformat())["key"]
    assert own(key).status == 200

    wait_until(lambda: own(key).status != 200)
    assert datetime.now(UTC) >= soon
    stores.execute("UPDATE api_keys SET last_used_at = NULL")

    assert_refused(own(key), "expired")
    assert last_used(stores) is None


def test_the_log_has_the_id_of_a_key_also_when_it_is_refused(
    stores: Stores, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_key("images:write")
    for handler in logging.getLogger(SERVICE).handlers:
        monkeypatch.setattr(handler, "stream", sys.stdout)
    capsys.readouterr()

    assert own(made["key"]).status == 200
    assert get("/api/images", key=made["key"]).status == 403
    revoke_key(made["id"])
    assert own(made["key"]).status == 401

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["key_id"] for line in lines] == [made["id"], made["id"], "root", made["id"]]


def last_used(stores: Stores) -> datetime | None:
    (row,) = stores.execute("SELECT last_used_at FROM api_keys")
    moment: datetime | None = row["last_used_at"]
    return moment


def test_the_last_use_is_noted_every_ten_minutes(stores: Stores) -> None:
    key = make_key("images:read")["key"]
    assert last_used(stores) is None
    own(key)
    assert last_used(stores)

    for minutes, is_noted in ((0, False), (9, False), (11, True)):
        before = datetime.now(UTC) - timedelta(minutes=minutes)
        stores.execute("UPDATE api_keys SET last_used_at = %s", (before,))
        own(key)
        assert (last_used(stores) != before) == is_noted


def test_no_request_waits_for_another_that_notes_the_use(stores: Stores) -> None:
    key = make_key("images:read")["key"]
    with stores.postgres.connect() as other, other.cursor() as cursor:
        cursor.execute("SELECT FROM api_keys FOR UPDATE")
        start = time.monotonic()
        assert own(key).status == 200
        assert time.monotonic() - start < 4.5, "within the statement's limit"
    other.close()


def test_a_database_that_does_not_answer_lets_nobody_pass(stores: Stores, configure: Configure) -> None:
    key = make_key("images:read")["key"]

    configure(DB_PORT="1")

    assert own(key).error == (503, "database_unavailable")
    assert get("/api/keys/self").status == 200


def test_keys_that_were_revoked_long_ago_are_forgotten(stores: Stores, configure: Configure) -> None:
    """Keys that only expired stay."""
    configure(CHANGES_DAYS="10")
    for days in (9, 11, None):
        make_key("images:read", name=str(days))
        stores.execute(
            """UPDATE api_keys SET expires_at = '2020-01-01', revoked_at = now() - make_interval(days => %s)
               WHERE name = %s""",
            (days, str(days)),
        )

    forget()
    assert [key["name"] for key in get("/api/keys").body["keys"]] == ["None", "9"]
