"""The schema is created, and migrated by the migrations defined here."""

import threading
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from imageapi.database import db, locks, migrations
from imageapi.database.migrations import Migration, migrate, read_migrations
from imageapi.errors import DatabaseUnavailableError

from tests import ROOT
from tests.integration.database.migrating import (
    DATABASE,
    USERS,
    become,
    become_owner,
    invoke,
    make_first_release,
    run,
)
from tests.integration.stores import SCHEMA, Configure, Row, Stores
from tests.support.waiting import wait_until

FOLDER = ROOT / "functions/migrate/migrations"
CATALOG = """
    SELECT 'column' AS kind, table_name || '.' || column_name AS name,
           concat_ws(' ', data_type, udt_name, collation_name, is_nullable, column_default) AS definition
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid)
        FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'function', oid::regprocedure::text, pg_get_functiondef(oid)
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'relation', relname, concat_ws(' ', relkind, relpersistence, reloptions)
        FROM pg_class WHERE relnamespace = 'public'::regnamespace
    ORDER BY kind, name"""


def describe(stores: Stores) -> list[Row]:
    """Everything in the database except the record of migrations."""
    return [row for row in run(stores, CATALOG) if "schema_migrations" not in row["name"]]


def sql(name: str) -> str:
    return f"ALTER TABLE image_metadata ADD COLUMN IF NOT EXISTS {name} integer"


FREE = f"SELECT pg_try_advisory_lock({locks.MIGRATIONS}, 0) AS free"
STEPS = [Migration(1, "one", sql("one")), Migration(2, "two", sql("two"))]


def columns(stores: Stores) -> set[str]:
    """The columns that STEPS have added."""
    found = run(stores, "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'")
    return {row["column_name"] for row in found} & {"one", "two"}


def test_a_new_database_gets_the_whole_schema_once(empty: Stores) -> None:
    outcome = {"is_new": True, "applied": [], "version": len(read_migrations(FOLDER)), "suspended_keys": 0}
    assert invoke() == outcome
    made = describe(empty)

    assert invoke() == outcome | {"is_new": False}
    assert describe(empty) == made
    run(empty, SCHEMA.read_text(encoding="utf-8"))
    assert describe(empty) == made


def test_migrations_count_as_applied_in_a_new_database(empty: Stores) -> None:
    outcome = migrate(SCHEMA.read_text(encoding="utf-8") + sql("one") + ";" + sql("two"), STEPS)

    assert outcome == {"is_new": True, "applied": [], "version": 2}
    assert migrate("", STEPS) == {"is_new": False, "applied": [], "version": 2}


def test_an_older_database_gets_those_that_it_lacks_and_a_newer_one_stays(empty: Stores) -> None:
    make_first_release()

    assert migrate("", STEPS[:1]) == {"is_new": False, "applied": ["0001_one"], "version": 1}
    assert columns(empty) == {"one"}
    assert migrate("", STEPS) == {"is_new": False, "applied": ["0002_two"], "version": 2}
    assert columns(empty) == {"one", "two"}

    before = describe(empty)
    assert migrate("", STEPS[:1]) == {"is_new": False, "applied": [], "version": 2}, "as after a rollback"
    assert describe(empty) == before


BAD = Migration(2, "bad", "CREATE TABLE half (id int); SELECT * FROM nowhere")


def test_a_failure_leaves_the_steps_before_it_and_the_next_run_goes_on_there(empty: Stores) -> None:
    make_first_release()
    good = Migration(1, "good", "CREATE TABLE more (id int)")

    with pytest.raises(psycopg2.errors.UndefinedTable, match="nowhere"):
        migrate("", [good, BAD, Migration(3, "never", "CREATE TABLE late (id int)")])

    names = run(empty, "SELECT relname FROM pg_class WHERE relname IN ('more', 'half', 'late')")
    assert names == [{"relname": "more"}]
    assert run(empty, "SELECT version FROM schema_migrations") == [{"version": 1}]
    outcome = migrate("", [good, Migration(2, "mended", "CREATE TABLE half (id int)")])
    assert outcome == {"is_new": False, "applied": ["0002_mended"], "version": 2}


def test_a_new_database_has_all_of_the_schema_or_nothing(empty: Stores) -> None:
    with pytest.raises(psycopg2.errors.UndefinedTable):
        migrate("CREATE TABLE image_metadata (id int); SELECT * FROM nowhere", [])

    assert describe(empty) == []
    assert invoke()["is_new"]


def test_what_a_step_has_made_is_the_services_though_a_later_one_fails(
    migrated: Stores, configure: Configure
) -> None:
    run(migrated, "TRUNCATE schema_migrations; DROP TABLE batches, sweep_progress")
    become_owner(migrated, configure)
    with pytest.raises(psycopg2.errors.UndefinedTable):
        migrate("", [Migration(1, "good", "CREATE TABLE batches (id int)"), BAD])

    become(configure, USERS["DB_SERVICE_USER"])
    db.query("INSERT INTO batches VALUES (1)")


def begin_migrating() -> tuple[threading.Thread, list[dict[str, Any]]]:
    """Start a migration; returns its thread, and the list to which it adds its outcome."""
    outcomes: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: outcomes.append(migrate("", STEPS)))
    thread.start()
    return thread, outcomes


def test_requests_go_on_while_a_step_waits_for_a_long_reader(
    empty: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests queue behind the step until it gives up. It keeps the advisory lock between attempts."""
    monkeypatch.setattr(migrations, "LOCK_ATTEMPTS", 1_000)
    monkeypatch.setattr(migrations, "LOCK_PAUSE_SECONDS", 0.2)
    make_first_release()
    waits = """SELECT 1 FROM pg_locks WHERE relation = 'image_metadata'::regclass
               AND mode = 'AccessExclusiveLock' AND NOT granted"""
    with closing(empty.postgres.connect(DATABASE)) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM image_metadata")
        thread, outcomes = begin_migrating()
        try:
            wait_until(lambda: run(empty, waits), seconds=60)
            read = "SET statement_timeout = '20s'; SELECT count(*) AS n FROM image_metadata"
            assert run(empty, read) == [{"n": 0}]
            assert run(empty, FREE) == [{"free": False}]
        finally:
            reader.rollback()
            thread.join()

    assert [outcome["applied"] for outcome in outcomes] == [["0001_one", "0002_two"]]


def test_a_lock_that_is_never_free_ends_the_run(empty: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(migrations, "LOCK_ATTEMPTS", 2)
    monkeypatch.setattr(migrations, "LOCK_PAUSE_SECONDS", 0.0)
    make_first_release()
    other = Migration(1, "other", "CREATE TABLE more (id int)")
    with closing(empty.postgres.connect(DATABASE)) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM image_metadata")
        with pytest.raises(DatabaseUnavailableError, match="0002_two did not get a lock"):
            migrate("", [other, STEPS[1]])

    assert run(empty, "SELECT version FROM schema_migrations") == [{"version": 1}]
    assert run(empty, FREE) == [{"free": True}]


def test_two_at_once_wait_for_each_other(empty: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(db.SESSION_SETTINGS, "lock_timeout", "100ms")  # for other statements
    make_first_release()
    with closing(empty.postgres.connect(DATABASE)) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", (locks.MIGRATIONS,))
        thread, outcomes = begin_migrating()
        wait_until(lambda: run(empty, "SELECT 1 FROM pg_locks WHERE NOT granted"))
        thread.join(0.5)
        assert thread.is_alive()
        assert outcomes == []
        other.rollback()
        thread.join(10)

    assert [outcome["applied"] for outcome in outcomes] == [["0001_one", "0002_two"]]
