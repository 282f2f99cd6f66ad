"""The database's schema: made when it is not there, and brought up to date step by step when it is.

``init_db.sql`` is the whole schema as it is now. A migration is a file ``0001_name.sql`` that turns the
schema before it into the one after it, and that may run again. A new database gets ``init_db.sql`` at once,
and its migrations count as applied; an older one gets those that it lacks, in the order of their numbers.

Where the other functions have a user of their own (``DB_SERVICE_USER``), it is made and let in here: it reads
and writes rows, and changes neither the schema nor anyone's rights.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2.extensions
from psycopg2 import sql

from imageapi import db
from imageapi.config import get_settings

LOCK = 0x696D616765617069
"""For pg_advisory_xact_lock: two deploys at once wait for each other."""

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
    """Bring the database up to date, in one transaction: all of it, or nothing.

    Returns:
        ``{"is_new": bool, "applied": ["0001_name", …], "version": int}``

    Raises:
        DatabaseUnavailableError: it does not answer, or not in time.
        psycopg2.Error: a statement was refused; nothing has changed.
    """

    def work(cursor: db.Cursor) -> dict[str, Any]:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        cursor.execute("SET LOCAL client_min_messages = warning")
        is_new = db.fetch(cursor, "SELECT to_regclass('image_metadata') IS NULL AS is_new")[0]["is_new"]
        cursor.execute(RECORD)
        known = {row["version"] for row in db.fetch(cursor, "SELECT version FROM schema_migrations")}
        missing = [migration for migration in migrations if migration.version not in known]
        if is_new:
            cursor.execute(schema)
        for migration in missing:
            if not is_new:
                cursor.execute(migration.sql)
            cursor.execute(
                "INSERT INTO schema_migrations (version, name) VALUES (%s, %s)",
                (migration.version, migration.name),
            )
        settings = get_settings()
        if settings.db_service_user:
            _admit(cursor, settings.db_service_user, settings.db_service_password)
        applied = [] if is_new else [f"{step.version:04}_{step.name}" for step in missing]
        return {
            "is_new": is_new,
            "applied": applied,
            "version": max(known | {m.version for m in missing} | {0}),
        }

    return db.transaction(work)


def _admit(cursor: db.Cursor, user: str, password: str) -> None:
    """Make a user, or give it its password again, and let it work with rows."""
    known = db.fetch(cursor, "SELECT 1 FROM pg_roles WHERE rolname = %s", (user,))
    # As the server would keep it: no log of statements has the password.
    secret = psycopg2.extensions.encrypt_password(password, user, cursor.connection, "scram-sha-256")
    statement = "ALTER ROLE {} LOGIN PASSWORD {}" if known else "CREATE ROLE {} LOGIN PASSWORD {}"
    name = sql.Identifier(user)
    cursor.execute(sql.SQL(statement).format(name, sql.Literal(secret)))
    for grant in GRANTS:
        cursor.execute(sql.SQL(grant).format(name))
