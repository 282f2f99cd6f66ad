"""A page of changes fits into an answer of Lambda, counted as it is encoded."""

import json

from tests.integration.changes.reading import cursor, history, read
from tests.integration.stores import Stores, new_id

LAMBDA_BYTES = 6 * 1024 * 1024


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
        since = page.body["cursor"]
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
