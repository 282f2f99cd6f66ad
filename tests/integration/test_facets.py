"""GET /api/categories and /api/tags: counts that are noted as images come, change and go."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from imageapi import facets

from tests.integration.client import get, send, upload
from tests.integration.lifecycle import sweep
from tests.integration.searchable import Doc, insert
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.events import API_KEY, make_event
from tests.support.waiting import wait_until


def counts(kind: str, **query: str) -> list[tuple[str, int]]:
    answer = get(f"/api/{kind}", query)
    assert answer.status == 200
    return [(facet["name"], facet["images"]) for facet in answer.body[kind]]


def test_nothing(stores: Stores) -> None:
    assert counts("categories") == counts("tags") == []


def test_the_most_used_first(stores: Stores) -> None:
    insert(
        stores, [Doc(category="b", tags=["X", "Ｙ"]), Doc(category="a", tags=["x"]), Doc(category="b"), Doc()]
    )

    assert counts("categories") == [("b", 2), ("a", 1)]
    assert counts("tags") == [("x", 2), ("y", 1)]
    assert counts("tags", limit="1") == [("x", 2)]


def test_only_ready_images_count(stores: Stores) -> None:
    stores.insert_ready(status="pending", category="a", tag_keys=["x"])

    assert counts("categories") == counts("tags") == []


def test_changed_and_deleted_images(stores: Stores) -> None:
    image = upload(pictures.png(), {"category": "a", "tags": ["x", "y"]}).image
    assert counts("categories") == [("a", 1)]

    headers = {"X-API-Key": API_KEY, "Content-Type": "application/json"}
    path = f"/api/images/{image['id']}"
    send(make_event("PATCH", path, headers, (), b'{"category": "b", "tags": ["y", "z"]}'))
    assert counts("categories") == [("b", 1)]
    assert counts("tags") == [("y", 1), ("z", 1)]

    assert send(make_event("DELETE", path, headers)).status == 204
    assert counts("categories") == counts("tags") == []


def test_all_that_was_noted_counts_at_once(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "FOLD_ROWS", 10)
    insert(stores, [Doc(tags=[f"tag-{number}" for number in range(32)]) for _ in range(5)])

    assert {images for _, images in counts("tags")} == {5}


def test_counts_are_right_when_many_read_and_write(stores: Stores) -> None:
    """Folding takes each note once, whoever folds."""

    def write() -> None:
        insert(stores, [Doc(category="c", tags=["t"]) for _ in range(20)])

    def fold() -> None:
        for _ in range(20):
            stores.execute("SELECT fold_facets(3)")

    with ThreadPoolExecutor() as threads:
        for work in [threads.submit(task) for task in (write, fold, write, fold)]:
            work.result()

    assert counts("categories") == [("c", 40)]
    assert counts("tags") == [("t", 40)]


def test_counts_that_another_is_adding_up(stores: Stores) -> None:
    """Who asks meanwhile waits for them, rather than read the old ones."""
    insert(stores, [Doc(category="c")])
    with closing(stores.postgres.connect()) as other, ThreadPoolExecutor() as threads:
        other.cursor().execute("SELECT fold_facets(10)")
        asked = threads.submit(counts, "categories")
        wait_until(
            lambda: stores.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        )
        other.commit()

        assert asked.result() == [("c", 1)]


@pytest.mark.parametrize("kind", ["categories", "tags"])
@pytest.mark.parametrize(
    ("query", "code"), [({"limit": "0"}, "limit_invalid"), ({"q": "x"}, "parameter_unknown")]
)
def test_refused(stores: Stores, kind: str, query: dict[str, str], code: str) -> None:
    answer = get(f"/api/{kind}", query)
    assert (answer.status, answer.code) == (400, code)


def test_a_sweep_adds_up_what_was_noted(stores: Stores) -> None:
    upload(pictures.png(), {"category": "sea"})
    assert stores.execute("SELECT 1 FROM facet_changes") != []

    sweep()

    assert stores.execute("SELECT 1 FROM facet_changes") == []
    assert stores.execute("SELECT name, images FROM facet_counts") == [{"name": "sea", "images": 1}]
