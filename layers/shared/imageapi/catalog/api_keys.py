"""The table ``api_keys``: API keys, valid, expired or revoked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from imageapi.actor import ROOT
from imageapi.catalog.resources import ResourceTable
from imageapi.config.settings import get_settings
from imageapi.database import db, locks

COLUMNS = (
    "id, version, name, scopes, prefix, created_at, updated_at, created_by, expires_at, revoked_at,"
    " suspended_at, last_used_at"
)
"""The columns that callers see."""
IS_VALID = "revoked_at IS NULL AND suspended_at IS NULL AND (expires_at IS NULL OR expires_at > now())"

# Keys are created and changed one at a time. Otherwise a new key could escape the revocation of its creator.
_LOCK = f"SELECT pg_advisory_xact_lock({locks.API_KEYS}, 0)"
KEYS = ResourceTable("api_keys", COLUMNS, "key", lock=_LOCK)

# Without SKIP LOCKED, all requests with a key would wait for the first of them to commit.
_USE = f"""
    WITH used AS (
        UPDATE api_keys SET last_used_at = now() WHERE id = (
            SELECT id FROM api_keys WHERE sha256 = %(sha256)s AND {IS_VALID}
                AND (last_used_at IS NULL OR last_used_at < now() - interval '10 minutes')
            FOR UPDATE SKIP LOCKED))
    SELECT {COLUMNS}, sha256, expires_at <= now() AS is_expired FROM api_keys WHERE sha256 = %(sha256)s"""

_FAMILY = """
    WITH RECURSIVE family AS (
        SELECT id FROM api_keys WHERE id = %(id)s
        UNION SELECT made.id FROM family JOIN api_keys made ON made.created_by = family.id::text
        WHERE %(with_descendants)s)"""


def use(sha256: bytes) -> db.Row | None:
    """Return the key with this hash, plus ``sha256`` and ``is_expired``. If it is valid, record its use."""
    return db.query_one(_USE, {"sha256": sha256})


def insert(cursor: db.Cursor, values: Mapping[str, Any]) -> db.Row | None:
    """Insert a key: ``id``, ``name``, ``scopes``, ``prefix``, ``sha256``, ``created_by``, ``expires_at``.
    Returns None if its creator has just been revoked or suspended.
    """
    return db.query_one(
        f"""{_LOCK};
            INSERT INTO api_keys (id, name, scopes, prefix, sha256, created_by, expires_at)
            SELECT %(id)s, %(name)s, %(scopes)s, %(prefix)s, %(sha256)s, %(created_by)s, %(expires_at)s
            WHERE %(created_by)s = '{ROOT}' OR EXISTS (
                SELECT FROM api_keys
                WHERE id::text = %(created_by)s AND coalesce(revoked_at, suspended_at) IS NULL)
            RETURNING {COLUMNS}""",
        values,
        cursor,
    )


def update(cursor: db.Cursor, key_id: str, values: Mapping[str, Any]) -> db.Row:
    """Change columns of a locked key."""
    assignments = ", ".join(f"{name} = %({name})s" for name in values)
    sql = f"UPDATE api_keys SET {assignments} WHERE id = %(id)s RETURNING {COLUMNS}"
    return db.query(sql, {**values, "id": key_id}, cursor)[0]


def find_creator_expiry(cursor: db.Cursor, key: db.Row) -> datetime | None:
    """When the key expires that created this one; None if never, or if there is no such key."""
    sql = "SELECT expires_at FROM api_keys WHERE id::text = %s"
    creator = db.query_one(sql, (key["created_by"],), cursor)
    return creator["expires_at"] if creator else None


def limit_descendants(cursor: db.Cursor, key_id: str, expires_at: datetime) -> None:
    """Let all keys created with a locked key, directly or indirectly, expire no later than this."""
    db.query(
        f"""{_FAMILY}
            UPDATE api_keys SET expires_at = %(expires_at)s FROM family
            WHERE api_keys.id = family.id AND family.id <> %(id)s AND revoked_at IS NULL
                AND (expires_at IS NULL OR expires_at > %(expires_at)s)""",
        {"id": key_id, "with_descendants": True, "expires_at": expires_at},
        cursor,
    )


def revoke(cursor: db.Cursor, key_id: str, *, with_descendants: bool) -> None:
    """Revoke a locked key; with its descendants, also all keys created with it, directly or indirectly."""
    db.query(
        f"""{_FAMILY}
            UPDATE api_keys SET revoked_at = now() FROM family
            WHERE api_keys.id = family.id AND revoked_at IS NULL""",
        {"id": key_id, "with_descendants": with_descendants},
        cursor,
    )


def suspend_restored() -> int:
    """Suspend all keys if the database was restored: revoked keys are valid again. Returns their number."""
    server = get_settings().database_server
    (found,) = db.query_as_actor(f"{_LOCK}; SELECT suspend_restored_keys(%s) AS keys", (server,))
    return int(found["keys"])


def remove_revoked(days: int) -> None:
    """Remove keys revoked at least this many days ago, unless a key that they created still exists."""
    db.query(
        """WITH removed AS (
               DELETE FROM api_keys WHERE revoked_at < now() - make_interval(days => %s)
                   AND NOT EXISTS (SELECT FROM api_keys made WHERE made.created_by = api_keys.id::text)
               RETURNING id)
           DELETE FROM idempotency_keys USING removed WHERE subject_id = removed.id""",
        (days,),
    )
