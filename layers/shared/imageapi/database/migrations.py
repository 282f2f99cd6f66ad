"""The database's schema: made when it is not there, and brought up to date step by step when it is.

``init_db.sql`` is the whole schema as it is now. A migration is a file ``0001_name.sql`` that turns the
schema before it into the one after it, and that may run again. A new database gets ``init_db.sql`` at once,
and its migrations count as applied; an older one gets those that it lacks, in the order of their numbers.

Each migration is a transaction of its own, so that a lock on a table lasts for one step and not for all. A
step waits a few seconds for a lock, then gives up, so that the requests queued behind it can go on, and tries
again.

Where the other functions have a user of their own (``DB_SERVICE_USER``), it is made and let in here: it reads
and writes rows, and changes neither the schema nor anyone's rights.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg2.errors
import psycopg2.extensions
from psycopg2 import sql

from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import DatabaseUnavailableError
from imageapi.telemetry.logs import get_logger

T = TypeVar("T")

LOCK = 0x696D616765617069
"""For pg_advisory_lock: two deploys at once wait for each other."""

LOCK_TIMEOUT = "3s"
"""How long a statement waits for a lock on a table. Requests queue behind it meanwhile, and they wait 5 s."""

LOCK_ATTEMPTS, LOCK_PAUSE_SECONDS = 20, 5.0
"""How often a step is tried when it does not get its lock, and the pause in between: together less than three
minutes, but more than cloudformation.RETRY_SECONDS, within which all of it would begin again.
"""

RECORD = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version     integer PRIMARY KEY,
        name        text NOT NULL,
        applied_at  timestamptz NOT NULL DEFAULT now()
    )"""

GRANTS = (
    "GRANT USAGE ON SCHEMA public TO {}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}",
    "REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM {}",
)


@dataclass(frozen=True)
class Migration:
    """One step. ``version`` is its number, from 1 on without a gap."""

    version: int
    name: str
    sql: str


def read_migrations(folder: Path) -> list[Migration]:
    """The migrations in a folder, in their order.

    Raises:
        ValueError: a file has another kind of name, or a number is missing or there twice.
    """
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)", path.stem)
        if not match:
            raise ValueError(f"{path.name} is not named like 0001_what_it_does.sql")
        found.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError("The migrations must be numbered 0001, 0002 and so on, each once.")
    return found


def migrate(schema: str, migrations: Sequence[Migration]) -> dict[str, Any]:
    """Bring the database up to date. A new one gets all of the schema, or nothing. In an older one each
    migration is committed by itself: when one fails, those before it stay, and the next run goes on from it.

    Returns:
        ``{"is_new": bool, "applied": ["0001_name", …], "version": int}``

    Raises:
        DatabaseUnavailableError: it does not answer, or not in time, or a lock was never to be had.
        psycopg2.Error: a statement was refused; nothing of its migration has changed.
    """
    try:
        db.query("SET lock_timeout = 0")  # for this lock alone; a step has its own
        db.query("SELECT pg_advisory_lock(%s)", (LOCK,))
        is_new, known = _commit("schema_migrations", lambda cursor: _begin(cursor, schema, migrations))
        missing = [step for step in migrations if step.version not in known]
        for step in missing:
            _commit(_label(step), partial(_apply, step=step))
    finally:
        # Ends the session, and with it the lock.
        db.close()
    version = max([0, *known, *(step.version for step in missing)])
    return {"is_new": is_new, "applied": [_label(step) for step in missing], "version": version}


def _begin(cursor: db.Cursor, schema: str, migrations: Sequence[Migration]) -> tuple[bool, set[int]]:
    """Make the record of migrations, and the schema of a new database. Whether it is new, and what it has."""
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
    """Do ``work`` in a transaction, again and again while others hold the locks that it takes."""

    def run(cursor: db.Cursor) -> T:
        cursor.execute("SET LOCAL client_min_messages = warning")
        # The session has it already, unless the connection was lost after the step before and opened again.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
        try:
            result = work(cursor)
            # With each step: what it has made is the service's to use as soon as it is there.
            _grant_service_user(cursor)
        except psycopg2.errors.LockNotAvailable as error:
            raise _LockTakenError from error
        return result

    for attempt in range(LOCK_ATTEMPTS):
        if attempt:
            get_logger().warning(f"{name}: others hold a lock that it takes; tried again")
            time.sleep(LOCK_PAUSE_SECONDS)
        try:
            return db.transaction(run)
        except _LockTakenError:
            pass
    raise DatabaseUnavailableError(
        f"{name} did not get a lock on its tables in {LOCK_ATTEMPTS} attempts: look in pg_stat_activity for"
        " transactions that have been open for long, end them, and run it again."
    )


class _LockTakenError(Exception):
    """Another transaction holds a lock. Not psycopg2's own error: for that one ``db`` closes the connection,
    and the advisory lock would be lost.
    """


def _grant_service_user(cursor: db.Cursor) -> None:
    """Where the service is a user of its own, make it or give it its password again, and let it work with
    rows.
    """
    settings = get_settings()
    user, password = settings.db_service_user, settings.db_service_password
    if not user:
        return
    known = db.query("SELECT 1 FROM pg_roles WHERE rolname = %s", (user,), cursor)
    # As the server would keep it: no log of statements has the password.
    secret = psycopg2.extensions.encrypt_password(password, user, cursor.connection, "scram-sha-256")
    statement = "ALTER ROLE {} LOGIN PASSWORD {}" if known else "CREATE ROLE {} LOGIN PASSWORD {}"
    name = sql.Identifier(user)
    cursor.execute(sql.SQL(statement).format(name, sql.Literal(secret)))
    for grant in GRANTS:
        cursor.execute(sql.SQL(grant).format(name))
