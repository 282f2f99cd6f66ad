"""GET /api/changes: pages, cursors, waiting, and who sees what."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from imageapi.api_keys.manage import revoke_key
from imageapi.changes.cursor import FEED, decode_position, encode_position
from imageapi.database import db

from tests.integration.changes.reading import add, changes, count_waiting, cursor, new_key, read
from tests.integration.client import upload
from tests.integration.images.examples import PICTURE
from tests.integration.stores import Configure, Stores, paused
from tests.support.events import API_KEY, LambdaContext, as_manager, load_handler, make_event
from tests.support.waiting import wait_until


def test_pages_have_each_change_once_and_in_order(stores: Stores) -> None:
    add(stores, 25)
    every = [change["sequence"] for change in changes()]
    assert every == sorted(every)
    assert len(every) == 25

    seen, since = [], None
    for limit in (1, 7, 2, 1_000):
        page = read(since, limit=limit)
        seen += [change["sequence"] for change in page.body["changes"]]
        since = page.body["cursor"]
    assert seen == every
    end = read(since)
    assert end.body == {"changes": [], "cursor": since}
    assert cursor("latest") == since
    assert end.headers["cache-control"] == ["no-store"]

    add(stores, 1, sequence=99)  # after a hole, which is no gap
    add(stores, 1)
    assert [change["sequence"] for change in changes(since)] == [99, 100]


def test_an_empty_feed_has_a_cursor(stores: Stores) -> None:
    for since in (cursor("latest"), cursor(None)):
        assert changes(since) == []
        assert changes(cursor(since)) == []
    add(stores, 2)
    assert len(changes(since)) == 2


def test_a_cursor_of_an_empty_feed_expires(stores: Stores, configure: Configure) -> None:
    since = cursor("latest")
    add(stores, 1)
    configure(CHANGES_DAYS="1")
    assert len(changes(since)) == 1
    old = encode_position(decode_position(since, FEED)._replace(microseconds=1), FEED)
    assert read(old).error == (410, "changes_expired")


def test_who_may_not_manage_keys_does_not_see_them_and_gets_past_them(stores: Stores) -> None:
    reader, manager = new_key("images:read"), new_key("images:read", "keys:manage")
    with as_manager():
        revoke_key(new_key("images:write")["id"])
    image = upload(PICTURE).image

    types = [change["type"] for change in changes(key=manager["key"])]
    assert types == ["key.created"] * 3 + ["key.revoked", "image.uploaded"]
    page = read(key=reader["key"], limit=2)  # the first two are not for it
    assert [change["subject_id"] for change in page.body["changes"]] == [image["id"]]
    assert changes(page.body["cursor"]) == []

    since = page.body["cursor"]
    new_key("images:read")
    assert (hidden := read(since, key=reader["key"])).body["changes"] == []
    assert hidden.body["cursor"] != since
    assert changes(hidden.body["cursor"]) == []


def test_waiting_ends_in_time_and_holds_no_transaction(stores: Stores) -> None:
    add(stores, 1)
    since = cursor()

    def look() -> list[str]:
        rows = stores.execute("SELECT state FROM pg_stat_activity WHERE application_name = 'image-api'")
        return [row["state"] for row in rows]

    with ThreadPoolExecutor() as threads:
        start = time.monotonic()
        waiting = threads.submit(changes, since, wait=1)
        wait_until(lambda: count_waiting(stores) and look() == ["idle"], 0.9)
        assert waiting.result() == []
        assert 0.9 < time.monotonic() - start < 2


def test_waiting_ends_before_the_function_does(stores: Stores) -> None:
    add(stores, 1)
    event = make_event("GET", "/api/changes", {"X-API-Key": API_KEY}, {"wait": "20", "since": cursor()})
    start = time.monotonic()
    answer = load_handler("ChangesFunction")(event, LambdaContext(time_left=2_500))
    assert answer["statusCode"] == 200
    assert time.monotonic() - start < 1.4


def test_waiting_ends_when_the_database_does_not_answer(
    stores: Stores, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(DB_STATEMENT_TIMEOUT="1", DB_CONNECT_TIMEOUT="1")
    monkeypatch.setattr(db, "GRACE_SECONDS", 0.1)
    since = cursor("latest")
    start = time.monotonic()
    with paused(stores.postgres):
        assert read(since, wait=20).error == (503, "database_unavailable")
    assert time.monotonic() - start < 5
