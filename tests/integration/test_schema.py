"""init_db.sql on a real server."""

from typing import Any
from uuid import UUID

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imageapi import keys, moments

from tests.integration.client import upload
from tests.integration.stores import SCHEMA, Row, Stores
from tests.support import pictures


def describe_schema(stores: Stores) -> list[Row]:
    """Everything that the schema made."""
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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    milliseconds=st.integers(0, moments.END_OF_TIME - 1),
    end=st.sampled_from([0, 1, 4, 8, 0x4000, 0x8000, 0xFFFF]),
    title=st.text("abc 桜の𠮷", max_size=20),
    size=st.integers(1, 2**34),
)
def test_keys_are_those_that_the_service_asks_for(
    stores: Stores, milliseconds: int, end: int, title: str, size: int
) -> None:
    image_id = UUID(int=moments.smallest_id(milliseconds).int | end)

    (row,) = stores.execute("SELECT image_list_keys(%s, %s, %s) AS keys", (str(image_id), title, size))

    times = [shift << 48 | milliseconds >> shift for shift in moments.SHIFTS]
    sizes = [key for shift in keys.SIZE_SHIFTS for key in keys.size_keys(*_bucket(size, shift))]
    samples = [keys.sample_key(shift) for shift in keys.SAMPLE_SHIFTS if end % 2**shift == 0]
    lengths = keys.TITLE_LENGTHS if title < keys.AFTER_ASCII else keys.TITLE_LENGTHS[1:]
    beginnings = [keys.title_beginning(title, length) for length in lengths]
    assert row["keys"] == [*times, *sizes, *samples, *keys.title_keys(dict.fromkeys(beginnings))]


def _bucket(value: int, shift: int) -> tuple[int, int]:
    start = value >> shift << shift
    return start, start + (1 << shift)


@pytest.mark.parametrize(
    "values",
    [
        {"status": "lost"},
        {"size_bytes": 0},
        {"width": 0},
        {"height": -1},
        {"frames": 0},
        {"sha256": b"short"},
        {"sha256": None},
        {"width": None},
        {"filename": None},
    ],
    ids=str,
)
def test_impossible_rows_are_refused(stores: Stores, values: dict[str, Any]) -> None:
    with pytest.raises(psycopg2.IntegrityError):
        stores.insert_ready(**values)


def test_idempotency_key_is_unique(stores: Stores) -> None:
    stores.insert_ready(2, idempotency_key=None)
    stores.insert_ready(idempotency_key="k")

    with pytest.raises(psycopg2.IntegrityError):
        stores.insert_ready(idempotency_key="k", status="pending")


def test_indexes_serve_a_page(stores: Stores) -> None:
    stores.insert_ready(3_000, category="海")
    stores.execute("ANALYZE image_metadata")

    for condition in ("", "AND category = '海'"):
        plan = stores.execute(
            f"""EXPLAIN (ANALYZE, FORMAT JSON) SELECT id FROM image_metadata
                WHERE status = 'ready' {condition} AND id < %s ORDER BY id DESC LIMIT 51""",
            ("ffffffff-ffff-7fff-bfff-ffffffffffff",),
        )[0]["QUERY PLAN"][0]["Plan"]
        scan = plan["Plans"][0]
        assert scan["Node Type"] in ("Index Scan", "Index Only Scan")
        assert scan["Actual Rows"] == 51
