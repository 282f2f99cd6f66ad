"""GET /api/categories and /api/tags: counts recorded as images are added, changed and deleted."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from imageapi.catalog import facets
from imageapi.database import locks

from tests.integration.client import get, upload
from tests.integration.lifecycle import delete_for_good, patch_image, sweep, watch_statements
from tests.integration.searchable import Doc, insert, total
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.worker import workers

SWEEP = {"compare": False}


def counts(kind: str, **query: str) -> list[tuple[str, int]]:
    answer = get(f"/api/{kind}", query)
    assert answer.status == 200
    return [(facet["name"], facet["image_count"]) for facet in answer.body[kind]]


def test_the_most_used_first(stores: Stores) -> None:
    assert counts("categories") == counts("tags") == []
    docs = [Doc(category="b", tags=["X", "Ｙ"]), Doc(category="a", tags=["x"]), Doc(category="b"), Doc()]
    insert(stores, docs)

    assert counts("categories") == [("b", 2), ("a", 1)]
    assert counts("tags") == [("x", 2), ("y", 1)]
    assert counts("tags", limit="1") == [("x", 2)]
    cursor = get("/api/tags", {"limit": "1"}).body["next_cursor"]
    assert get("/api/categories", {"cursor": cursor}).error == (400, "cursor_mismatch")


@pytest.mark.parametrize("folded", [0, 1, 100])
def test_pages(stores: Stores, monkeypatch: pytest.MonkeyPatch, folded: int) -> None:
    insert(stores, [Doc(tags=tags) for tags in (["a", "b", "c", "d", "e"], ["b", "c", "d"], ["d"])])
    monkeypatch.setattr(facets, "BATCH_ROWS", 1)
    facets.apply_changes(folded)
    found: list[list[str]] = []
    cursor: dict[str, str] = {}
    while cursor != {"cursor": None}:
        answer = get("/api/tags", {"limit": "2", **cursor})
        found.append([tag["name"] for tag in answer.body["tags"]])
        cursor = {"cursor": answer.body["next_cursor"]}
        assert ("link" in answer.headers) == (cursor != {"cursor": None})
    assert found == [["d", "b"], ["c", "a"], ["e"]]


def test_changed_and_deleted_images(stores: Stores) -> None:
    image = upload(pictures.png(), {"category": "a", "tags": ["x", "y"]}).image
    assert counts("categories") == [("a", 1)]

    patch_image(image["id"], {"category": "b", "tags": ["y", "z"]})
    assert counts("categories") == [("b", 1)]
    assert counts("tags") == [("y", 1), ("z", 1)]

    assert delete_for_good(image["id"]).status == 204
    assert counts("categories") == counts("tags") == []


@pytest.mark.parametrize("folded", range(6))
def test_counts_and_changes_add_up(stores: Stores, monkeypatch: pytest.MonkeyPatch, folded: int) -> None:
    """The number of folded changes does not matter, nor does the order of the folded counts."""
    insert(stores, [Doc(tags=["a", "b"]), Doc(tags=["b"]), Doc(tags=["b"]), Doc(tags=["c"])])
    stores.execute("DELETE FROM image_metadata WHERE tag_keys = '{c}'")
    monkeypatch.setattr(facets, "BATCH_ROWS", 1)
    facets.apply_changes(folded)

    assert len(stores.execute("SELECT 1 FROM facet_changes")) == 5 - folded
    assert counts("tags") == [("b", 3), ("a", 1)]
    assert counts("tags", limit="1") == [("b", 3)]
    assert total(("tags", "b")) == {"value": 3, "relation": "exact"}
    assert get("/api/database/status").body["image_count"] == 3


def test_many_changes_are_folded_first(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "MAX_CHANGES", 9)
    for expected in ([9, 18], [10, 0]):
        insert(stores, [Doc(category="c") for _ in range(expected[0])])
        assert counts("categories")[0][0] == "c"
    assert stores.execute("SELECT 1 FROM facet_changes") == []
    assert counts("categories") == [("c", 19)]


def test_counts_are_right_when_many_read_and_write(stores: Stores) -> None:
    """Several processes fold each change exactly once. Folding is atomic for readers."""

    def write() -> None:
        insert(stores, [Doc(category="c", tags=["t"]) for _ in range(20)])

    with workers(stores.environment, 2) as folding, ThreadPoolExecutor() as threads:
        writing = [threads.submit(write) for _ in range(2)]
        seen = [0]
        while not all(work.done() for work in writing):
            for process in folding:
                process.send(SWEEP, function="SweepFunction")
            seen += [images for _, images in counts("categories")]
            for process in folding:
                process.read_response()

    assert seen == sorted(seen)
    assert counts("categories") == [("c", 40)]
    assert counts("tags") == [("t", 40)]


def test_many_names_are_counted_a_batch_at_a_time(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a large import, each image has tags of its own: all at once could exceed the time limit."""
    statements = watch_statements(monkeypatch)
    stores.execute(
        """INSERT INTO facet_changes (change, category, tag_keys)
           SELECT 1, 'c', ARRAY(SELECT format('tag %s %s', image, n) FROM generate_series(1, 32) AS n)
           FROM generate_series(1, 2000) AS image"""
    )

    assert counts("categories") == [("c", 2_000)]
    assert len(get("/api/tags", {"limit": "200"}).body["tags"]) == 200
    sweep()

    batches = [sql for sql, _ in statements if "DELETE FROM facet_changes" in sql]
    assert len(batches) > 2_000 / facets.BATCH_ROWS
    assert stores.execute("SELECT 1 FROM facet_changes") == []
    assert stores.execute("SELECT count(*) AS n FROM facet_counts WHERE kind = 'tag'") == [{"n": 64_000}]


def test_who_meets_another_one_folding_waits_for_nothing(stores: Stores) -> None:
    for _ in range(3):
        upload(pictures.png(), {"category": "sea"})
    with closing(stores.postgres.connect()) as other:
        other.cursor().execute("SELECT pg_advisory_xact_lock(%s, 0)", (locks.FACETS,))
        facets.apply_changes()
        assert counts("categories") == [("sea", 3)]
        assert len(stores.execute("SELECT 1 FROM facet_changes")) == 3
        other.rollback()  # after close, the server may hold the lock a moment longer

    facets.apply_changes()
    assert counts("categories") == [("sea", 3)]
    assert stores.execute("SELECT 1 FROM facet_changes") == []
