"""Create, list, revoke and confirm API keys."""

import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from imageapi.api_keys.check import InvalidKeyError, Key
from imageapi.api_keys.format import SHOWN, hash_key, make_key
from imageapi.catalog import api_keys
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import ConflictError, NotFoundError, UnprocessableError
from imageapi.model.ids import is_id, new_id
from imageapi.model.parameters import InvalidFieldError, InvalidParameterError, check_fields, parse_time
from imageapi.model.scopes import SCOPES

FIELDS = ("name", "scopes", "expires_at")
MAX_NAME_LENGTH = 100
_invalid = partial(InvalidFieldError, code="key_invalid")


def create_key(values: Mapping[str, Any], creator: Key) -> dict[str, Any]:
    """Create a key with at most the scopes and the lifetime of its creator.

    Args:
        values: the request: ``name``, ``scopes`` and optionally ``expires_at`` (ISO 8601, in the future),
            without which the key expires as late as it may.

    Returns:
        As :func:`serialize_key`, with the ``key`` itself, which cannot be read again.

    Raises:
        UnprocessableError: ``key_invalid``, ``scope_unknown``.
        ForbiddenError: ``scope_missing``: the creator lacks one of the scopes.
        InvalidKeyError: the creator has just been revoked.
    """
    name, scopes, expires_at = _parse(values)
    for scope in scopes:
        creator.check_scope(scope)
    latest = _find_latest_expiry(creator)
    if latest and expires_at and expires_at > latest:
        raise _invalid("expires_at", f"must not be after {latest.isoformat()}", max=latest.isoformat())
    key = make_key()
    row = api_keys.insert(
        {
            "id": new_id()[0],
            "name": name,
            "scopes": scopes,
            "prefix": key[:SHOWN],
            "sha256": hash_key(key),
            "created_by": creator.id,
            "expires_at": expires_at or latest,
        }
    )
    if row is None:
        raise InvalidKeyError("revoked", "This API key was revoked.")
    return {**serialize_key(row), "key": key}


def list_keys() -> list[dict[str, Any]]:
    """All keys, newest first, as :func:`serialize_key`; without the root key."""
    return [serialize_key(row) for row in api_keys.list_all()]


def revoke_key(key_id: str, *, keep_descendants: bool = False) -> None:
    """Revoke a key and its descendants; they stop working immediately.

    Raises:
        NotFoundError: ``key_not_found``.
        ConflictError: ``key_already_revoked``.
    """
    if not api_keys.revoke(_find_id(key_id), with_descendants=not keep_descendants):
        raise ConflictError("This API key is already revoked.", code="key_already_revoked")


def confirm_key(key_id: str) -> dict[str, Any]:
    """End the suspension of a key, after a restore of the database.

    Raises:
        NotFoundError: ``key_not_found``.
        ConflictError: ``key_not_suspended``.
    """
    row = api_keys.confirm(_find_id(key_id))
    if row is None:
        raise ConflictError("This API key is not suspended, or was revoked.", code="key_not_suspended")
    return serialize_key(row)


def describe_key(key: Key) -> dict[str, Any]:
    """A key as its holder may see it: ``{"id", "name", "scopes", "expires_at"}``; the last may be null."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
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


def _find_id(key_id: str) -> str:
    row = api_keys.find(key_id.lower()) if is_id(key_id) else None
    if row is None:
        raise NotFoundError("There is no such API key.", code="key_not_found")
    return str(row["id"])


def _find_latest_expiry(creator: Key) -> datetime | None:
    """The earlier of the creator's own expiry and KEY_MAX_DAYS from now; None without either."""
    days = get_settings().key_max_days
    limits = [creator.expires_at, datetime.now(UTC) + timedelta(days) if days else None]
    return min((limit for limit in limits if limit), default=None)


def _parse(values: Mapping[str, Any]) -> tuple[str, list[str], datetime | None]:
    check_fields(values, FIELDS, code="key_invalid")
    name, scopes, expires_at = (values.get(field) for field in FIELDS)
    if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_NAME_LENGTH:
        raise _invalid("name", f"must have 1 to {MAX_NAME_LENGTH} characters", max=MAX_NAME_LENGTH)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise _invalid("name", "contains a control character or an unpaired surrogate")
    if not isinstance(scopes, list) or not scopes:
        raise _invalid("scopes", "must be a list with at least one scope", known=list(SCOPES))
    for scope in scopes:
        if scope not in SCOPES:
            raise UnprocessableError(
                f"There is no scope {str(scope)[:64]!r}.",
                code="scope_unknown",
                details={"known": list(SCOPES)},
            )
    return name.strip(), [scope for scope in SCOPES if scope in scopes], _parse_expiry(expires_at)


def _parse_expiry(text: Any) -> datetime | None:
    if text is None:
        return None
    with suppress(InvalidParameterError):
        moment = parse_time("expires_at", text) if isinstance(text, str) else None
        if moment and moment > datetime.now(UTC):
            return moment
    raise _invalid("expires_at", "must be a future time in ISO 8601, for example 2030-01-31T09:30:00Z")
