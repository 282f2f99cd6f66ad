"""List and revoke API keys."""

from typing import Any

from imageapi.catalog import keys
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import ConflictError, NotFoundError
from imageapi.keys.check import Key
from imageapi.model.ids import is_id


def list_keys() -> list[dict[str, Any]]:
    """All keys, newest first, as :func:`serialize_key`; without the root key."""
    return [serialize_key(row) for row in keys.list_all()]


def revoke_key(key_id: str, *, keep_descendants: bool = False) -> None:
    """Revoke a key and its descendants; they stop at once.

    Raises:
        NotFoundError: ``key_not_found``.
        ConflictError: ``key_already_revoked``.
    """
    if not keys.revoke(_find_id(key_id), with_descendants=not keep_descendants):
        raise ConflictError("This API key was revoked before.", code="key_already_revoked")


def confirm_key(key_id: str) -> dict[str, Any]:
    """End the suspension of a key, after a restore of the database.

    Raises:
        NotFoundError: ``key_not_found``.
        ConflictError: ``key_not_suspended``.
    """
    row = keys.confirm(_find_id(key_id))
    if row is None:
        raise ConflictError("This API key is not suspended, or was revoked.", code="key_not_suspended")
    return serialize_key(row)


def _find_id(key_id: str) -> str:
    row = keys.find(key_id.lower()) if is_id(key_id) else None
    if row is None:
        raise NotFoundError("There is no such API key.", code="key_not_found")
    return str(row["id"])


def describe_key(key: Key) -> dict[str, Any]:
    """A key as its holder may see it: ``{"id", "name", "scopes", "expires_at", "trash_days"}``.

    ``expires_at`` may be null. ``trash_days`` says what a delete does: 0 if it is for good.
    """
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "trash_days": get_settings().trash_days,
    }


def serialize_key(row: db.Row) -> dict[str, Any]:
    """``{"id", "name", "scopes", "prefix", "created_by", "created_at", "expires_at", "revoked_at",
    "suspended_at", "last_used_at"}``; the last four may be null. ``created_by`` is the id of a key, or ROOT.
    ``last_used_at`` is at most ten minutes before the last use.
    """
    names = ("created_at", "expires_at", "revoked_at", "suspended_at", "last_used_at")
    return {
        **{name: row[name] for name in ("id", "name", "scopes", "prefix", "created_by")},
        **{name: row[name].isoformat() if row[name] else None for name in names},
    }
