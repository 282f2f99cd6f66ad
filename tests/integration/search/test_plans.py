"""Every list of the API uses an index: none of its statements scans the table."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.database import db
from imageapi.search import find_page, time_search

from tests.integration.client import Json, get
from tests.integration.lifecycle import watch_statements
from tests.integration.stores import Stores
from tests.support import corpus

ROWS = 6_000
FILTERS: dict[str, list[str]] = {
    "category": [corpus.CATEGORIES[0], corpus.CATEGORIES[-1]],
    "tags": [corpus.ENGLISH[0], corpus.PLACES[-1]],
    "q": ["桜", corpus.COMMON_WORD, corpus.ABSENT_WORD, "su"],
    "mime_type": ["image/webp"],
    "width.gte": ["5000"],
    "created_at.gte": ["2023-11-14T22:30:00Z"],
}
SORTS = ["-created_at", "created_at", "title", "-title", "size_bytes", "-size_bytes"]


def combinations() -> Iterator[dict[str, str]]:
    """No filter, each filter, and each pair of filters, in several orders."""
    for size in (0, 1, 2):
        for names in itertools.combinations(FILTERS, size):
            for values in itertools.product(*(FILTERS[name] for name in names)):
                for sort in SORTS if size < 2 else SORTS[::3]:
                    yield dict(zip(names, values, strict=True)) | {"sort": sort}


@pytest.fixture
def recorded(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Fill the table; returns the list of all statements from then on."""
    with db_cursor(stores) as cursor:
        corpus.fill(cursor, ROWS)
    # With a small limit, PostgreSQL uses the GIN index of this small table as in a large one.
    monkeypatch.setattr(time_search, "SCANNED_ROWS", 60)
    return watch_statements(monkeypatch)


def db_cursor(stores: Stores) -> Any:
    connection = stores.postgres.connect()
    connection.autocommit = True
    return connection.cursor()


def nodes(plan: dict[str, Any]) -> Iterator[Json]:
    """The plan and all its nested nodes."""
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def scans(plan: dict[str, Any]) -> Iterator[str]:
    """The relations that a plan scans sequentially."""
    return (node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan")


def explain(cursor: Any, sql: str, values: Any) -> Json:
    cursor.execute("EXPLAIN (FORMAT JSON) " + sql, values)
    plan: dict[str, Any] = cursor.fetchone()[0][0]["Plan"]
    return plan


def set_up(cursor: Any) -> None:
    for name, value in db.SESSION_SETTINGS.items():
        cursor.execute(f"SET {name} = '{value}'")


def test_no_list_scans_the_table(stores: Stores, recorded: list[tuple[str, Any]]) -> None:
    for query in combinations():
        following = ask(recorded, {**query, "limit": "5", "total": "true"})
        if following:
            ask(recorded, {**query, "cursor": following})
    statements = {json.dumps(each, default=str): each for each in recorded}.values()
    assert len(statements) > 300
    narrowed = 0
    with db_cursor(stores) as cursor:
        set_up(cursor)
        unindexed = explain(cursor, "SELECT id FROM image_metadata WHERE filename = 'x'", ())
        assert list(scans(unindexed)) == ["image_metadata"], "one would be seen"
        for sql, values in statements:
            plan = explain(cursor, sql, values)
            assert "image_metadata" not in set(scans(plan)), (sql, values)
            if "image.tokens @>" in sql or "image.tokens &&" in sql:
                narrowed += 1
                served = [node for node in nodes(plan) if node["Node Type"] == "Bitmap Index Scan"]
                assert [node["Index Name"] for node in served] == ["image_metadata_tokens"], (plan, sql)
                for name in ("@>", "&&"):
                    assert (f"image.tokens {name}" in sql) == (f"tokens {name}" in served[0]["Index Cond"])
    assert narrowed > 200


def ask(recorded: list[tuple[str, Any]], query: dict[str, str]) -> str | None:
    """Get a page within MAX_STATEMENTS statements; returns the next cursor."""
    before = len(recorded)
    answer = get("/api/images", query)
    if answer.status != 200:
        assert answer.error == (422, "too_many_to_sort")
        return None
    assert len(recorded) - before <= find_page.MAX_STATEMENTS
    cursor: str | None = answer.body["next_cursor"]
    # Only the last page may be short.
    assert cursor is None or len(answer.body["images"]) == int(query.get("limit", "50")), query
    return cursor


def test_a_category_is_read_along_indexes_of_its_own(stores: Stores, recorded: list[tuple[str, Any]]) -> None:
    """The position of its images does not matter, although PostgreSQL assumes an even distribution."""
    for sort in SORTS:
        query = {"category": corpus.CATEGORIES[0], "sort": sort, "limit": "5"}
        following = {"cursor": get("/api/images", query).body["next_cursor"]}
        for more in ({}, following):
            recorded.clear()
            get("/api/images", {**query, **more})
            ((sql, values),) = [each for each in recorded if "ORDER BY" in each[0]]
            with db_cursor(stores) as cursor:
                set_up(cursor)
                limit, scan, *_ = nodes(explain(cursor, sql, values))
            assert (limit["Node Type"], scan["Node Type"]) == ("Limit", "Index Scan"), sort
            assert scan["Index Name"].startswith("image_metadata_category"), sort
