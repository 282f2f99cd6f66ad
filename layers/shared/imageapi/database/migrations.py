"""Create the database schema, or migrate it step by step.

``init_db.sql`` is the whole current schema. A migration is a file ``0001_name.sql`` that turns the previous
schema into the next, and is safe to run again. A new database receives ``init_db.sql``, and all migrations
count as applied. An older one receives its missing migrations in numerical order.

Each migration is its own transaction, so a table lock lasts for one step only. If a step waits too long for a
lock, it gives up, so that requests queued behind it can proceed, and tries again.

A migration also creates the other functions' database users (``DB_SERVICE_USER``, ``DB_MANAGER_USER``) and
grants their privileges (``grants``).
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg2.errors

from imageapi.config.settings import get_settings
from imageapi.database import db, locks
from imageapi.database.grants import MANAGER, SERVICE, grant_users
from imageapi.errors import DatabaseUnavailableError
from imageapi.telemetry.logs import get_logger

T = TypeVar("T")

LOCK_TIMEOUT = "1500ms"
"""How long a statement waits for a table lock. Requests queue behind it for at most 2 s."""

LOCK_ATTEMPTS, LOCK_PAUSE_SECONDS = 20, 5.0
"""Attempts of a step to get its lock, and the pause between them: in total less than three minutes, but more
than cloudformation.RETRY_SECONDS, within which the whole run would start over.
"""

RECORD = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version     integer PRIMARY KEY,
        name        text NOT NULL,
        applied_at  timestamptz NOT NULL DEFAULT now()
    )"""


@dataclass(frozen=True)
class Migration:
    """One step. Versions count from 1 without gaps."""

    version: int
    name: str
    sql: str


def read_migrations(folder: Path) -> list[Migration]:
    """The migrations in a folder, in order.

    Raises:
        ValueError: a file name is malformed, or a number is missing or duplicate.
    """
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)", path.stem)
        if not match:
            raise ValueError(f"{path.name} must be named like 0001_what_it_does.sql")
        found.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError("The migrations must be numbered 0001, 0002 and so on, each once.")
    return found


def migrate(schema: str, migrations: Sequence[Migration]) -> dict[str, Any]:
    """Create or migrate the schema. A new database receives all of it or nothing. In an older one, each
    migration is committed on its own. If one fails, those before it stay, and the next run resumes there.

    Returns:
        ``{"is_new": bool, "applied": ["0001_name", …], "version": int}``

    Raises:
        DatabaseUnavailableError: no response in time, or no lock after all attempts.
        psycopg2.Error: a statement failed; its migration was rolled back.
    """
    try:
        db.query("SET lock_timeout = 0")  # only for this lock: a step has its own timeout
        db.query("SELECT pg_advisory_lock(%s, 0)", (locks.MIGRATIONS,))
        is_new, known = _commit("schema_migrations", lambda cursor: _begin(cursor, schema, migrations))
        missing = [step for step in migrations if step.version not in known]
        for step in missing:
            _commit(_label(step), partial(_apply, step=step))
    finally:
        # This releases the lock.
        db.close()
    version = max([0, *known, *(step.version for step in missing)])
    return {"is_new": is_new, "applied": [_label(step) for step in missing], "version": version}


def _begin(cursor: db.Cursor, schema: str, migrations: Sequence[Migration]) -> tuple[bool, set[int]]:
    """Create the record of migrations and, in a new database, the schema. Return is_new and the versions."""
    is_new = db.query("SELECT to_regclass('image_metadata') IS NULL AS is_new", (), cursor)[0]["is_new"]
    cursor.execute(RECORD)
    if is_new:
        cursor.execute(schema)
        for step in migrations:
            _record(cursor, step)
    return is_new, {row["version"] for row in db.query("SELECT version FROM schema_migrations", (), cursor)}


def _apply(cursor: db.Cursor, step: Migration) -> None:
    cursor.execute(step.sql)
    _record(cursor, step)


def _record(cursor: db.Cursor, step: Migration) -> None:
    cursor.execute(
        "INSERT INTO schema_migrations (version, name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (step.version, step.name),
    )


def _label(step: Migration) -> str:
    return f"{step.version:04}_{step.name}"


def _commit(name: str, work: Callable[[db.Cursor], T]) -> T:
    """Run ``work`` in a transaction. Retry while others hold its locks."""

    def run(cursor: db.Cursor) -> T:
        cursor.execute("SET LOCAL client_min_messages = warning")
        # The session already holds it, unless the connection was replaced after the last step.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", (locks.MIGRATIONS,))
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
        result = work(cursor)
        # After each step, so that the other functions can use its tables at once.
        settings = get_settings()
        grant_users(cursor, {SERVICE: settings.db_service, MANAGER: settings.db_manager})
        return result

    for attempt in range(LOCK_ATTEMPTS):
        if attempt:
            get_logger().warning(f"{name}: others hold a lock that it takes; tried again")
            time.sleep(LOCK_PAUSE_SECONDS)
        try:
            return db.transaction(run)
        except DatabaseUnavailableError as error:
            if not isinstance(error.__cause__, psycopg2.errors.LockNotAvailable):
                raise
    raise DatabaseUnavailableError(
        f"{name} did not get a lock on its tables in {LOCK_ATTEMPTS} attempts. Find long transactions in"
        " pg_stat_activity, end them, and run it again."
    )
