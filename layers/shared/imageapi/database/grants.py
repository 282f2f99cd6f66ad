"""The users of the database besides the schema's owner, and their privileges.

SERVICE decodes untrusted files. It can neither create an API key, nor read a webhook's secret, nor change or
delete entries of the feed. MANAGER manages keys and webhooks, and cannot read images. If you bring your own
database, all functions share one user.
"""

from collections.abc import Mapping
from typing import TypeAlias

import psycopg2.extensions
from psycopg2 import sql

from imageapi.database import db

SERVICE, MANAGER = "service", "manager"
ROWS = "SELECT, INSERT, UPDATE, DELETE"

Login: TypeAlias = tuple[str, str]
"""Name and password."""

GRANTS = {
    SERVICE: {
        "image_metadata": ROWS,
        "trashed_images": "SELECT, INSERT, DELETE",
        "uploads": ROWS,
        "pending_removals": ROWS,
        "image_variants": ROWS,
        "image_analysis": "SELECT, INSERT, UPDATE",
        "batches": ROWS,
        "idempotency_keys": "SELECT, INSERT, DELETE",
        "daily_budgets": "SELECT, INSERT, UPDATE",
        "facet_counts": ROWS,
        "facet_changes": "SELECT, INSERT, DELETE",
        "sweep_progress": "SELECT, INSERT, UPDATE",
        "api_keys": "SELECT, UPDATE (last_used_at)",
        "changes": "SELECT",
        "FUNCTION number_changes": "EXECUTE",
        "SEQUENCE lease_tokens": "USAGE",
    },
    MANAGER: {
        "api_keys": ROWS,
        "webhooks": ROWS,
        "idempotency_keys": "SELECT, INSERT, DELETE",
        "changes": "SELECT",
        "changes_unnumbered": "SELECT",
        "FUNCTION number_changes": "EXECUTE",
        "FUNCTION drop_changes": "EXECUTE",
        "SEQUENCE lease_tokens": "USAGE",
    },
}
"""The privileges of each user. Only database functions of the schema's owner write the feed (init_db.sql)."""


def grant_users(cursor: db.Cursor, logins: Mapping[str, Login | None]) -> None:
    """Create missing users, set their passwords, and grant each exactly its privileges.

    Args:
        logins: of SERVICE and MANAGER; None skips a user.
    """
    for role, login in logins.items():
        if login:
            _set_password(cursor, *login)
            _grant(cursor, login[0], GRANTS[role])


def _set_password(cursor: db.Cursor, user: str, password: str) -> None:
    known = db.query("SELECT 1 FROM pg_roles WHERE rolname = %s", (user,), cursor)
    # The server's own hash keeps the password out of statement logs.
    secret = psycopg2.extensions.encrypt_password(password, user, cursor.connection, "scram-sha-256")
    statement = "ALTER ROLE {} LOGIN PASSWORD {}" if known else "CREATE ROLE {} LOGIN PASSWORD {}"
    cursor.execute(sql.SQL(statement).format(sql.Identifier(user), sql.Literal(secret)))


def _grant(cursor: db.Cursor, user: str, grants: Mapping[str, str]) -> None:
    """Grant the privileges. Between two migrations, some of the objects may not exist yet."""
    name = sql.Identifier(user)
    for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
        cursor.execute(sql.SQL(f"REVOKE ALL ON ALL {kind} IN SCHEMA public FROM {{}}").format(name))
    cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name))
    existing = db.query(
        """SELECT item FROM unnest(%s::text[]) AS item, split_part(item, ' ', -1) AS name
           WHERE to_regclass(name) IS NOT NULL OR to_regproc(name) IS NOT NULL""",
        (list(grants),),
        cursor,
    )
    for row in existing:
        cursor.execute(sql.SQL(f"GRANT {grants[row['item']]} ON {row['item']} TO {{}}").format(name))
