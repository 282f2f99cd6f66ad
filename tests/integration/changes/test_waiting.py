"""Requests that wait for changes never take all executions of the function."""

import time
from typing import Any

from imageapi.changes.waiting import PLACES_OF_A_KEY

from tests.integration.changes.reading import add, count_waiting, cursor, new_key
from tests.integration.stores import Stores
from tests.support.events import make_event
from tests.support.waiting import wait_until
from tests.support.worker import Worker, workers

PLACES = PLACES_OF_A_KEY + 1


def send_wait(worker: Worker, key: dict[str, Any], since: str, wait: int = 20) -> None:
    query = {"since": since, "wait": str(wait)}
    worker.send(make_event("GET", "/api/changes", {"X-API-Key": key["key"]}, query))


def test_neither_one_key_nor_all_take_every_place(stores: Stores) -> None:
    mine, other, third = (new_key("images:read") for _ in range(3))
    add(stores, 1)
    since = cursor()
    with workers(stores.environment | {"CHANGES_WAITS": str(PLACES)}, PLACES + 1) as (*waiting, free):
        for worker in (*waiting, free):  # so that all have started
            send_wait(worker, mine, since, wait=0)
            assert worker.answer().status == 200
        for worker, key in zip(waiting, [mine] * PLACES_OF_A_KEY + [other], strict=True):
            send_wait(worker, key, since)
        wait_until(lambda: count_waiting(stores) == PLACES, 15)

        for key in (mine, third):  # too many of one key, and of all
            start = time.monotonic()
            send_wait(free, key, since)
            refused = free.answer()
            assert refused.error == (429, "too_many_waits")
            assert int(refused.headers["retry-after"][0]) > 0
            assert time.monotonic() - start < 5
        send_wait(free, mine, since, wait=0)
        assert free.answer().body == {"changes": [], "cursor": since}, "who does not wait needs no place"

        waiting[0].kill()  # its place is free again
        wait_until(lambda: count_waiting(stores) == PLACES - 1)
        send_wait(free, third, since)
        wait_until(lambda: count_waiting(stores) == PLACES)
        start = time.monotonic()
        add(stores, 1)
        for worker in (*waiting[1:], free):
            assert len(worker.answer().body["changes"]) == 1
        assert time.monotonic() - start < 10, "the next change ends it"
        assert count_waiting(stores) == 0
        send_wait(free, mine, since)
        assert len(free.answer().body["changes"]) == 1, "what is there needs no place"
