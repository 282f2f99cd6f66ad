"""The table ``api_keys``: API keys, valid, expired or revoked."""

from typing import Any

from imageapi.database import db

COLUMNS = "id, name, scopes, prefix, created_at, expires_at, revoked_at, last_used_at"
"""The columns that callers see."""
IS_VALID = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"

# Without SKIP LOCKED, all requests with a key would wait for the first of them to commit.
_USE = f"""
    WITH used AS (
        UPDATE api_keys SET last_used_at = now() WHERE id = (
            SELECT id FROM api_keys WHERE sha256 = %(sha256)s AND {IS_VALID}
                AND (last_used_at IS NULL OR last_used_at < now() - interval '10 minutes')
            FOR UPDATE SKIP LOCKED))
    SELECT {COLUMNS}, sha256, expires_at <= now() AS is_expired FROM api_keys WHERE sha256 = %(sha256)s"""


def use(sha256: bytes) -> db.Row | None:
    """The key with this hash, valid or not, with ``sha256`` and ``is_expired``; notes a valid one's use."""
    rows = db.query(_USE, {"sha256": sha256})
    return rows[0] if rows else None


def insert(values: dict[str, Any]) -> db.Row:
    """Insert a key: ``id``, ``name``, ``scopes``, ``prefix``, ``sha256``, ``expires_at``."""
    (row,) = db.change(
        f"""INSERT INTO api_keys (id, name, scopes, prefix, sha256, expires_at)
            VALUES (%(id)s, %(name)s, %(scopes)s, %(prefix)s, %(sha256)s, %(expires_at)s)
            RETURNING {COLUMNS}""",
        values,
    )
    return row


def list_all() -> list[db.Row]:
    """All keys, newest first."""
    return db.query(f"SELECT {COLUMNS} FROM api_keys ORDER BY id DESC")


def find(key_id: str) -> db.Row | None:
    """The key with this id, valid or not."""
    rows = db.query(f"SELECT {COLUMNS} FROM api_keys WHERE id = %s", (key_id,))
    return rows[0] if rows else None


def revoke(key_id: str) -> bool:
    """Revoke a key. False if there is none, or it is revoked already."""
    return bool(
        db.change(
            "UPDATE api_keys SET revoked_at = now() WHERE id = %s AND revoked_at IS NULL RETURNING id",
            (key_id,),
        )
    )


def remove_revoked(days: int) -> None:
    """Remove keys that were revoked at least this many days ago."""
    db.query("DELETE FROM api_keys WHERE revoked_at < now() - make_interval(days => %s)", (days,))
