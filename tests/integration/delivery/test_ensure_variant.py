"""Variants requested concurrently or abandoned partway."""

import time
from typing import Any
from unittest.mock import patch

import pytest
from imageapi.catalog import variants
from imageapi.delivery.ensure_variant import WAIT_SECONDS
from imageapi.errors import DatabaseUnavailableError
from imageapi.storage import s3

from tests.integration.client import Json
from tests.integration.delivery.conftest import PICTURE
from tests.integration.leftovers import counts, die, expire, put, remove
from tests.integration.lifecycle import (
    delete_for_good,
    deliver_event,
    fetch,
    open_link,
    sweep,
    watch_keys,
    watch_statements,
)
from tests.integration.stores import Configure, Stores, fail
from tests.support import pictures
from tests.support.worker import Hook, workers

WEBP = "image/webp"
PUT_OBJECT = s3.put_object
RENDER, PUT = "decoder.client.render", "storage.s3.put_object"


def test_first_requests_at_once_in_several_processes(stores: Stores, image: Json) -> None:
    event = deliver_event(image["urls"]["thumbnail"], WEBP)
    with workers(stores.environment, 2) as (first, second):
        first.send(event, Hook(RENDER, "before", 1, "pause"))
        first.wait_paused()
        second.send(event, Hook(PUT, "before"))
        assert stores.variants() == [("w320.webp", "pending")]
        first.resume()
        # If the second also rendered, its hook would have killed it.
        assert [process.answer().status for process in (first, second)] == [302, 302]
    assert stores.variants() == [("w320.webp", "ready")]
    assert fetch(image["urls"]["thumbnail"], WEBP).status == 200


@pytest.mark.parametrize(("target", "when"), [(RENDER, "before"), (PUT, "before"), (PUT, "after")])
def test_a_claim_of_a_dead_renderer_is_taken_over(
    stores: Stores, image: Json, target: str, when: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = image["urls"]["thumbnail"]
    die(stores, deliver_event(url, WEBP), target, when)
    monkeypatch.setattr("imageapi.delivery.ensure_variant.WAIT_SECONDS", 0.2)

    answer = open_link(url, WEBP)
    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "variant_pending", ["2"])
    assert fetch(image["urls"]["original"]).data == PICTURE

    expire(stores)
    assert fetch(url, WEBP).status == 200
    assert stores.variants() == [("w320.webp", "ready")]


def test_who_waits_takes_over_when_the_claim_ends(stores: Stores, image: Json) -> None:
    die(stores, deliver_event(image["urls"]["thumbnail"], WEBP), RENDER, "before")
    stores.execute("UPDATE image_variants SET lease_until = now() + interval '0.5 seconds'")

    assert fetch(image["urls"]["thumbnail"], WEBP).status == 200
    assert stores.variants() == [("w320.webp", "ready")]


def test_an_original_that_cannot_be_rendered(stores: Stores, image: Json) -> None:
    url, key = image["urls"]["thumbnail"], image["s3_key"]
    put(stores, key, data=pictures.truncated(PICTURE))
    for _ in range(2):
        assert open_link(url, WEBP).error == (422, "image_corrupt")
    expire(stores)
    remove(stores, key)
    assert open_link(url, WEBP).error == (404, "object_missing")

    # After a failed attempt, the next request does not wait.
    put(stores, key, data=PICTURE)
    assert fetch(url, WEBP).status == 200


def read_wait(stores: Stores, attempts: int) -> float:
    """The seconds until a variant that failed so many times is tried again."""
    (row,) = stores.execute(
        "SELECT attempts, failure, extract(epoch FROM lease_until - now()) AS wait FROM image_variants"
    )
    assert (row["attempts"], row["failure"]) == (attempts, "too_many_pixels")
    return float(row["wait"])


def test_what_could_not_be_rendered_is_not_tried_again_at_once(
    stores: Stores, image: Json, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = image["urls"]["thumbnail"]
    configure(MAX_PIXELS="1000")
    downloads = watch_keys(monkeypatch, "download")

    for _ in range(3):
        assert open_link(url, WEBP).error == (422, "too_many_pixels")
    assert len(downloads) == 1

    # It is retried later, and the wait grows with each failure.
    for attempts, wait in enumerate([60, 240, 960, 3_840], 1):
        assert read_wait(stores, attempts) == pytest.approx(wait, abs=10)
        expire(stores)
        assert open_link(url, WEBP).status == 422
    stores.execute("UPDATE image_variants SET attempts = 2000000, lease_until = now() - interval '1 second'")
    assert open_link(url, WEBP).status == 422
    assert read_wait(stores, 2_000_001) == pytest.approx(86_400, abs=10)

    configure(MAX_PIXELS=None)
    expire(stores)
    assert fetch(url, WEBP).status == 200
    assert stores.variants() == [("w320.webp", "ready")]


def test_who_waits_writes_nothing(stores: Stores, image: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    event = deliver_event(image["urls"]["thumbnail"], WEBP)
    with stores.paused_at(event, RENDER, "before") as process:
        statements = watch_statements(monkeypatch)
        start = time.monotonic()

        assert open_link(image["urls"]["thumbnail"], WEBP).error == (503, "variant_pending")
        assert time.monotonic() - start < 2 * WAIT_SECONDS
        assert len(statements) > 5
        assert all(sql.startswith("SELECT image.id") for sql, _ in statements)
        assert process.finish().status == 302


def test_what_ends_the_process_again_and_again_is_given_up(stores: Stores, image: Json) -> None:
    url = image["urls"]["thumbnail"]
    for attempt in range(variants.MAX_ATTEMPTS):
        die(stores, deliver_event(url, WEBP), RENDER, "before")
        expire(stores)
        assert stores.execute("SELECT attempts FROM image_variants") == [{"attempts": attempt + 1}]

    for _ in range(2):
        assert open_link(url, WEBP).error == (422, "image_too_complex")

    # After a while it is tried once more.
    expire(stores)
    die(stores, deliver_event(url, WEBP), RENDER, "before")
    expire(stores)
    assert counts(sweep()) == {"variants_removed": 1}
    assert open_link(url, WEBP).code == "image_too_complex"
    expire(stores)
    assert fetch(url, WEBP).status == 200


def put_and_fail(*args: Any, **options: Any) -> None:
    PUT_OBJECT(*args, **options)
    fail()


@pytest.mark.parametrize("is_viewed_again", [True, False])
@pytest.mark.parametrize(
    ("target", "failing"), [("download", fail), ("put_object", fail), ("put_object", put_and_fail)]
)
def test_a_store_that_fails_while_rendering(
    stores: Stores, image: Json, target: str, failing: Any, is_viewed_again: bool
) -> None:
    """Each object keeps its row, so a deletion finds all objects."""
    url = image["urls"]["thumbnail"]
    with patch.object(s3, target, failing):
        assert open_link(url, WEBP).error == (503, "storage_unavailable")

    if is_viewed_again:
        assert fetch(url, WEBP).status == 200
        assert stores.variants() == [("w320.webp", "ready")]
    delete_for_good(image["id"])
    assert stores.is_empty()


def test_a_variant_whose_row_turned_ready_unheard_keeps_its_object(stores: Stores, image: Json) -> None:
    original = variants.mark_ready

    def mark_and_hear_nothing(*arguments: Any) -> None:
        assert original(*arguments)
        raise DatabaseUnavailableError()

    with patch.object(variants, "mark_ready", mark_and_hear_nothing):
        assert open_link(image["urls"]["thumbnail"], WEBP).status == 503

    assert stores.variants() == [("w320.webp", "ready")]
    assert fetch(image["urls"]["thumbnail"], WEBP).status == 200
