"""init_db.sql on a real server."""

from typing import Any

import psycopg2
import pytest

from tests.integration.client import upload
from tests.integration.stores import SCHEMA, Row, Stores
from tests.support import pictures


def describe_schema(stores: Stores) -> list[Row]:
    """Everything that the schema created."""
    return stores.execute(
        """SELECT 'column' AS kind, table_name || '.' || column_name AS name,
                  concat_ws(' ', data_type, is_nullable, column_default) AS definition
           FROM information_schema.columns WHERE table_schema = 'public'
           UNION ALL
           SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
           UNION ALL
           SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
           FROM pg_constraint WHERE connamespace = 'public'::regnamespace
           ORDER BY kind, name"""
    )


def test_schema_may_run_again(stores: Stores) -> None:
    upload(pictures.jpeg())
    before, rows = describe_schema(stores), stores.rows()

    stores.execute(SCHEMA.read_text(encoding="utf-8"))

    assert describe_schema(stores) == before
    assert stores.rows() == rows


@pytest.mark.parametrize(
    "values",
    [
        {"size_bytes": 0},
        {"width": 0},
        {"height": -1},
        {"frames": 0},
        {"sha256": b"short"},
        {"sha256": None},
        {"width": None},
        {"filename": None},
        {"tags": ["x"] * 33},
    ],
    ids=str,
)
def test_impossible_rows_are_refused(stores: Stores, values: dict[str, Any]) -> None:
    with pytest.raises(psycopg2.IntegrityError):
        stores.insert_ready(**values)


def test_indexes_serve_a_page(stores: Stores) -> None:
    stores.insert_ready(3_000, category="海")
    stores.execute("ANALYZE image_metadata")

    for condition in ("", "AND category = '海'"):
        plan = stores.execute(
            f"""EXPLAIN (ANALYZE, FORMAT JSON) SELECT id FROM image_metadata
                WHERE id < %s {condition} ORDER BY id DESC LIMIT 51""",
            ("ffffffff-ffff-7fff-bfff-ffffffffffff",),
        )[0]["QUERY PLAN"][0]["Plan"]
        scan = plan["Plans"][0]
        assert scan["Node Type"] in ("Index Scan", "Index Only Scan")
        assert scan["Actual Rows"] == 51
