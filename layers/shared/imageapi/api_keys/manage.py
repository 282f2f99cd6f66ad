"""Create, list, update, revoke and confirm API keys."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from imageapi.api_keys.check import InvalidKeyError, Key
from imageapi.api_keys.fields import clean_key_fields
from imageapi.api_keys.format import SHOWN, hash_key, make_key
from imageapi.catalog import api_keys
from imageapi.catalog.api_keys import KEYS
from imageapi.catalog.idempotency_keys import create_once
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import ConflictError
from imageapi.model.idempotency import name_request
from imageapi.model.ids import new_id
from imageapi.model.schemas import InvalidFieldError
from imageapi.model.times import show_time


def create_key(
    values: Mapping[str, Any], creator: Key, idempotency_key: str | None = None
) -> tuple[dict[str, Any], str | None]:
    """Create a key with at most the scopes and the lifetime of its creator.

    Args:
        values: the request: NewKey in openapi.json.

    Returns:
        As :func:`serialize_key`, and the key itself, which cannot be read again; None if an earlier request
        with this Idempotency-Key created it.

    Raises:
        InvalidFieldError: a field of the request is invalid.
        IdempotencyKeyReusedError: the Idempotency-Key was used for another request.
        ForbiddenError: ``scope_missing``: the creator lacks one of the scopes.
        InvalidKeyError: the creator has just been revoked.
    """
    key = make_key()

    def prepare() -> dict[str, Any]:
        checked = clean_key_fields({"expires_at": None, **values})
        creator.check_all_scopes(checked["scopes"])
        checked["expires_at"] = _limit_expiry(checked["expires_at"], creator.expires_at)
        secret = {"prefix": key[:SHOWN], "sha256": hash_key(key)}
        return {"id": new_id()[0], **checked, **secret, "created_by": creator.id}

    def insert(cursor: db.Cursor, columns: Mapping[str, Any]) -> db.Row:
        row = api_keys.insert(cursor, columns)
        if row is None:
            raise InvalidKeyError("revoked", "This API key was revoked. Use another key.")
        return row

    request = name_request(idempotency_key, "createKey", values)
    row, is_new = create_once(request, prepare, insert, KEYS.find)
    return serialize_key(row), key if is_new else None


def list_keys(limit: int, cursor: str | None) -> dict[str, Any]:
    """One page of all keys except root keys, newest first; as :func:`ResourceTable.list_page`."""
    return KEYS.list_page(limit, cursor, serialize_key)


def get_key(key_id: str) -> dict[str, Any]:
    """One key, as :func:`serialize_key`.

    Raises:
        NotFoundError: ``key_not_found``.
    """
    return serialize_key(KEYS.get(key_id))


def update_key(
    key_id: str, values: Mapping[str, Any], versions: Sequence[int] | None, editor: Key
) -> dict[str, Any]:
    """Change a key's name or expiry. The expiry has the limits of a new key, and limits those of the keys
    created with it. Returns and raises as :func:`get_key`.

    Args:
        values: the request: KeyUpdate in openapi.json.
        versions: change the key only at one of these versions; None for any.

    Raises:
        InvalidFieldError: a field of the request is invalid.
        ForbiddenError: ``scope_missing``: the editor lacks a scope of the key, so it cannot prolong it.
        VersionMismatchError: the key is at another version.
    """
    changes = clean_key_fields(values)

    def work(cursor: db.Cursor, row: db.Row) -> db.Row:
        if "expires_at" in changes:
            editor.check_all_scopes(row["scopes"])
            creator_expiry = api_keys.find_creator_expiry(cursor, row)
            changes["expires_at"] = _limit_expiry(changes["expires_at"], editor.expires_at, creator_expiry)
            if changes["expires_at"]:
                api_keys.limit_descendants(cursor, row["id"], changes["expires_at"])
        return api_keys.update(cursor, row["id"], changes) if changes else row

    return serialize_key(KEYS.change(key_id, versions, work))


def revoke_key(key_id: str, versions: Sequence[int] | None, *, keep_descendants: bool = False) -> None:
    """Revoke a key and its descendants permanently. They stop working immediately.

    Raises:
        NotFoundError: ``key_not_found``.
        VersionMismatchError: the key is not at one of the versions.
    """

    def work(cursor: db.Cursor, row: db.Row) -> None:
        api_keys.revoke(cursor, row["id"], with_descendants=not keep_descendants)

    KEYS.change(key_id, versions, work)


def confirm_key(key_id: str, editor: Key) -> dict[str, Any]:
    """End a key's suspension after a restore of the database. Returns and raises as :func:`get_key`.

    Raises:
        ConflictError: ``key_not_suspended``.
        ForbiddenError: ``scope_missing``: the editor lacks a scope of the key.
    """

    def work(cursor: db.Cursor, row: db.Row) -> db.Row:
        if row["revoked_at"] or not row["suspended_at"]:
            raise ConflictError("Only a suspended API key can be confirmed.", code="key_not_suspended")
        editor.check_all_scopes(row["scopes"])
        return api_keys.update(cursor, row["id"], {"suspended_at": None})

    return serialize_key(KEYS.change(key_id, None, work))


def describe_key(key: Key) -> dict[str, Any]:
    """The fields that a key may read of itself: ``{"id", "name", "scopes", "expires_at"}``."""
    expires_at = show_time(key.expires_at)
    return {"id": key.id, "name": key.name, "scopes": list(key.scopes), "expires_at": expires_at}


def serialize_key(row: db.Row) -> dict[str, Any]:
    """ApiKey in openapi.json, from a row."""
    times = ("created_at", "updated_at", "expires_at", "revoked_at", "suspended_at", "last_used_at")
    return {
        **{name: row[name] for name in ("id", "version", "name", "scopes", "prefix", "created_by")},
        **{name: show_time(row[name]) for name in times},
    }


def _limit_expiry(expires_at: datetime | None, *limits: datetime | None) -> datetime | None:
    """Check that the expiry is neither after one of these limits nor more than KEY_MAX_DAYS from now. Without
    an expiry, return the earliest of all limits, None without any.
    """
    days = get_settings().key_max_days
    longest = datetime.now(UTC) + timedelta(days) if days else None
    latest = min((limit for limit in (*limits, longest) if limit), default=None)
    if latest and expires_at and expires_at > latest:
        limit = show_time(latest)
        raise InvalidFieldError("expires_at", "value", f"must not be after {limit}", max=limit)
    return expires_at or latest
