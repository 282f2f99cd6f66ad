"""Every list that the API offers is found through an index: none of its statements scans the table."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi import db, pages, stretches, totals
from imageapi.scans import ONLY_BITMAPS

from tests.integration.client import get
from tests.integration.stores import Stores
from tests.support import corpus

ROWS = 6_000
FILTERS: dict[str, list[str]] = {
    "category": [corpus.CATEGORIES[0], corpus.CATEGORIES[-1]],
    "tag": [corpus.ENGLISH[0], corpus.PLACES[-1]],
    "q": ["桜", corpus.COMMON_WORD, corpus.ABSENT_WORD, "su"],
    "mime_type": ["image/webp"],
    "min_width": ["5000"],
    "created_after": ["2023-11-14T22:30:00Z"],
}
SORTS = ["newest", "oldest", "title", "size"]


def combinations() -> Iterator[dict[str, str]]:
    """Each filter alone and each pair of filters, in each order, with and without a cursor to begin at."""
    for size in (0, 1, 2):
        for names in itertools.combinations(FILTERS, size):
            for values in itertools.product(*(FILTERS[name] for name in names)):
                for sort in SORTS if size < 2 else SORTS[::2]:
                    yield dict(zip(names, values, strict=True)) | {"sort": sort}


@pytest.fixture
def recorded(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """A table with rows, and the statements that run on it from now on."""
    with db_cursor(stores) as cursor:
        corpus.fill(cursor, ROWS)
    totals._statistics = None
    statements: list[tuple[str, Any]] = []
    run = db.query

    def record(sql: str, parameters: Any = ()) -> list[db.Row]:
        statements.append((sql, parameters))
        return run(sql, parameters)

    monkeypatch.setattr(db, "query", record)
    # Small for a small table, so that the inverted index is asked as it is in a large one.
    monkeypatch.setattr(pages, "SAMPLE_ROWS", 100)
    monkeypatch.setattr(pages, "WORTH_WALKING", 100)
    monkeypatch.setattr(stretches, "AT_ONCE", 50)
    monkeypatch.setattr(stretches, "SAMPLE_SIZE", 20)
    return statements


def db_cursor(stores: Stores) -> Any:
    connection = stores.postgres.connect()
    connection.autocommit = True
    return connection.cursor()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The plan and all that is in it."""
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def scans(plan: dict[str, Any]) -> Iterator[str]:
    """The relations that a plan reads from end to end."""
    return (node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan")


def explain(cursor: Any, sql: str, values: Any) -> dict[str, Any]:
    """The plan of a statement, under the settings before it."""
    cursor.execute("BEGIN")
    if sql.startswith(ONLY_BITMAPS):
        cursor.execute(ONLY_BITMAPS)
        sql = sql.removeprefix(ONLY_BITMAPS)
    cursor.execute("EXPLAIN (FORMAT JSON) " + sql, values)
    plan: dict[str, Any] = cursor.fetchone()[0][0]["Plan"]
    cursor.execute("ROLLBACK")
    return plan


def test_no_list_scans_the_table(stores: Stores, recorded: list[tuple[str, Any]]) -> None:
    for query in combinations():
        page = get("/api/images", {**query, "limit": "5", "total": "true"})
        assert page.status == 200
        if page.body["next_cursor"]:
            assert get("/api/images", {**query, "cursor": page.body["next_cursor"]}).status == 200
    statements = list(
        {json.dumps([sql, values], default=str): (sql, values) for sql, values in recorded}.values()
    )
    assert len(statements) > 300
    by_keys, covers = 0, 0
    with db_cursor(stores) as cursor:
        cursor.execute(db.SESSION_SETTINGS)
        for sql, values in statements:
            if sql.startswith("EXPLAIN"):
                continue
            plan = explain(cursor, sql, values)
            assert "image_metadata" not in set(scans(plan)), (sql, values)
            if sql.startswith(ONLY_BITMAPS):
                kinds = {node["Node Type"] for node in nodes(plan)}
                assert "Bitmap Index Scan" in kinds, (plan, sql, values)
                assert not kinds & {"Index Scan", "Index Only Scan"}, (plan, sql, values)
            if "image_list_keys" in sql:
                by_keys += 1
                served = [node["Index Cond"] for node in nodes(plan) if "Index Cond" in node]
                assert any("image_list_keys" in condition for condition in served), (plan, sql, values)
            covers += "WITH RECURSIVE" in sql
    assert by_keys > 200
    assert covers > 20


def test_a_search_that_has_no_index_would_be_seen(stores: Stores, recorded: list[tuple[str, Any]]) -> None:
    """That the test above can fail."""
    with stores.postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute(db.SESSION_SETTINGS)
        cursor.execute("EXPLAIN (FORMAT JSON) SELECT id FROM image_metadata WHERE filename = 'x'")
        assert list(scans(cursor.fetchone()[0][0]["Plan"])) == ["image_metadata"]


def test_a_category_is_read_along_indexes_of_its_own(stores: Stores, recorded: list[tuple[str, Any]]) -> None:
    """Wherever its images are: PostgreSQL believes that they are everywhere."""
    for sort in SORTS:
        query = {"category": corpus.CATEGORIES[0], "sort": sort, "limit": "5"}
        following = {"cursor": get("/api/images", query).body["next_cursor"]}
        for more in ({}, following):
            recorded.clear()
            get("/api/images", {**query, **more})
            ((sql, values),) = [each for each in recorded if "ORDER BY" in each[0]]
            with db_cursor(stores) as cursor:
                cursor.execute(db.SESSION_SETTINGS)
                limit, scan = nodes(explain(cursor, sql, values))
            assert (limit["Node Type"], scan["Node Type"]) == ("Limit", "Index Scan"), sort
            assert scan["Index Name"].startswith("image_metadata_category"), sort
