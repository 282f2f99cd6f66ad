"""GET /api/changes: pages, cursors, waiting, sizes, and the changes that each key sees."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from imageapi.api_keys.manage import revoke_key
from imageapi.changes.cursor import FEED, decode_position, encode_position
from imageapi.changes.waiting import PLACES_OF_A_KEY
from imageapi.database import db

from tests.integration.changes.reading import add, changes, cursor, history, new_key, read
from tests.integration.client import upload
from tests.integration.images.examples import PICTURE
from tests.integration.stores import Configure, Stores, new_id, paused
from tests.support.events import API_KEY, LambdaContext, as_manager, load_handler, make_event
from tests.support.waiting import wait_until
from tests.support.worker import Worker, workers

LAMBDA_BYTES = 6 * 1024 * 1024


def test_pages_have_each_change_once_and_in_order(stores: Stores) -> None:
    add(stores, 25)
    every = [change["sequence"] for change in changes()]
    assert every == sorted(every)
    assert len(every) == 25

    seen, since = [], None
    for limit in (1, 7, 2, 1_000):
        page = read(since, limit=limit)
        seen += [change["sequence"] for change in page.body["changes"]]
        since = page.body["next_cursor"]
    assert seen == every
    end = read(since)
    assert end.body == {"changes": [], "next_cursor": since}
    assert cursor("latest") == since
    assert end.headers["cache-control"] == ["no-store"]

    add(stores, 1, sequence=99)  # numbers can be missing
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
        revoke_key(new_key("images:write")["id"], None)
    image = upload(PICTURE).image

    types = [change["type"] for change in changes(key=manager["key"])]
    assert types == ["key.created"] * 3 + ["key.revoked", "image.uploaded"]
    page = read(key=reader["key"], limit=2)  # this key may not see the first two
    assert [change["subject_id"] for change in page.body["changes"]] == [image["id"]]
    assert changes(page.body["next_cursor"]) == []

    since = page.body["next_cursor"]
    new_key("images:read")
    assert (hidden := read(since, key=reader["key"])).body["changes"] == []
    assert hidden.body["next_cursor"] != since
    assert changes(hidden.body["next_cursor"]) == []


def count_waiting(stores: Stores) -> int:
    """The number of requests that wait for changes."""
    (row,) = stores.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 8")
    return int(row["count"])


def test_waiting_ends_in_time_and_holds_no_transaction(stores: Stores) -> None:
    add(stores, 1)
    since = cursor()

    def look() -> list[str]:
        rows = stores.execute("SELECT state FROM pg_stat_activity WHERE application_name = 'image-api'")
        return [row["state"] for row in rows]

    with ThreadPoolExecutor() as threads:
        start = time.monotonic()
        waiting = threads.submit(changes, since, wait=2)
        wait_until(lambda: count_waiting(stores) and look() == ["idle"], 1.9)
        assert waiting.result() == []
        assert 1.9 < time.monotonic() - start < 4


def test_waiting_ends_before_the_function_does(stores: Stores) -> None:
    add(stores, 1)
    event = make_event("GET", "/api/changes", {"X-API-Key": API_KEY}, {"wait": "20", "cursor": cursor()})
    start = time.monotonic()
    answer = load_handler("ChangesFunction")(event, LambdaContext(time_left=4_000))
    assert answer["statusCode"] == 200
    assert time.monotonic() - start < 4


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


def send_wait(worker: Worker, key: dict[str, Any], since: str, wait: int = 20) -> None:
    query = {"cursor": since, "wait": str(wait)}
    worker.send(make_event("GET", "/api/changes", {"X-API-Key": key["key"]}, query))


def test_neither_one_key_nor_all_take_every_place_to_wait(stores: Stores) -> None:
    places = PLACES_OF_A_KEY + 1
    mine, other, third = (new_key("images:read") for _ in range(3))
    add(stores, 1)
    since = cursor()
    with workers(stores.environment | {"CHANGES_WAITS": str(places)}, places + 1) as (*waiting, free):
        for worker in (*waiting, free):  # until all have started
            send_wait(worker, mine, since, wait=0)
            assert worker.answer().status == 200
        for worker, key in zip(waiting, [mine] * PLACES_OF_A_KEY + [other], strict=True):
            send_wait(worker, key, since)
        wait_until(lambda: count_waiting(stores) == places, 15)

        for key in (mine, third):  # too many of one key, and of all
            start = time.monotonic()
            send_wait(free, key, since)
            refused = free.answer()
            assert refused.error == (429, "too_many_waits")
            assert int(refused.headers["retry-after"][0]) > 0
            assert time.monotonic() - start < 5
        send_wait(free, mine, since, wait=0)
        assert free.answer().body == {"changes": [], "next_cursor": since}, "who does not wait needs no place"

        waiting[0].kill()  # its place is free again
        wait_until(lambda: count_waiting(stores) == places - 1)
        send_wait(free, third, since)
        wait_until(lambda: count_waiting(stores) == places)
        start = time.monotonic()
        add(stores, 1)
        for worker in (*waiting[1:], free):
            assert len(worker.answer().body["changes"]) == 1
        assert time.monotonic() - start < 10, "the next change ends it"
        assert count_waiting(stores) == 0
        send_wait(free, mine, since)
        assert len(free.answer().body["changes"]) == 1, "what is there needs no place"


def add_large(stores: Stores, count: int, image_id: str, characters: int) -> None:
    stores.execute(
        """INSERT INTO changes_unnumbered (type, subject_id, version, after)
           SELECT 'image.changed', %s, number, jsonb_build_object('title', repeat('🐈"', %s))
           FROM generate_series(1, %s) AS number""",
        (image_id, characters // 2, count),
    )


def test_the_feed_continues_on_a_shorter_page(stores: Stores) -> None:
    since = cursor()
    add_large(stores, 200, new_id(), 10_000)
    sizes = []
    while (page := read(since)).body["changes"]:
        assert len(json.dumps(page.text)) < LAMBDA_BYTES
        sizes.append(len(page.body["changes"]))
        since = page.body["next_cursor"]
    assert sum(sizes) == 200
    assert len(sizes) < 6, "as much as there is room for"


def test_a_history_continues_on_a_shorter_page(stores: Stores) -> None:
    image_id = new_id()
    add_large(stores, 200, image_id, 10_000)
    page = history(image_id, limit=200)
    assert len(json.dumps(page.text)) < LAMBDA_BYTES
    versions = [change["version"] for change in page.body["changes"]]
    while page.body["next_cursor"]:
        page = history(image_id, limit=200, cursor=page.body["next_cursor"])
        versions += [change["version"] for change in page.body["changes"]]
    assert versions == list(range(200, 0, -1))


def test_a_page_has_at_least_one_change(stores: Stores) -> None:
    since = cursor()
    add_large(stores, 2, new_id(), 1_000_000)
    assert len(read(since).body["changes"]) == 1
