"""Make an API key."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from imageapi.catalog import keys
from imageapi.config.settings import get_settings
from imageapi.errors import UnprocessableError
from imageapi.keys.check import InvalidKeyError, Key
from imageapi.keys.format import SHOWN, hash_key, make_key
from imageapi.keys.manage import serialize_key
from imageapi.model.ids import new_id
from imageapi.model.parameters import find_unknown_field
from imageapi.model.scopes import SCOPES

FIELDS = ("name", "scopes", "expires_at")
MAX_NAME_LENGTH = 100


def create_key(values: Mapping[str, Any], creator: Key) -> dict[str, Any]:
    """Make a key with at most the scopes and the lifetime of its creator.

    Args:
        values: the request: ``name``, ``scopes`` and optionally ``expires_at`` (ISO 8601, in the future),
            without which the key expires as late as it may.

    Returns:
        As :func:`manage.serialize_key`, with the ``key`` itself, which cannot be read again.

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
    key_id, _ = new_id()
    key = make_key()
    row = keys.insert(
        {
            "id": key_id,
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


def _find_latest_expiry(creator: Key) -> datetime | None:
    """The earlier of the creator's own expiry and KEY_MAX_DAYS from now; None without either."""
    days = get_settings().key_max_days
    limits = [creator.expires_at, datetime.now(UTC) + timedelta(days) if days else None]
    return min((limit for limit in limits if limit), default=None)


def _parse(values: Mapping[str, Any]) -> tuple[str, list[str], datetime | None]:
    unknown = find_unknown_field(values, FIELDS)
    if unknown is not None:
        raise _invalid(unknown, f"is not known; known are {', '.join(FIELDS)}")
    name, scopes, expires_at = (values.get(field) for field in FIELDS)
    if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_NAME_LENGTH:
        raise _invalid("name", f"must have 1 to {MAX_NAME_LENGTH} characters", max=MAX_NAME_LENGTH)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise _invalid("name", "has a control character or half a surrogate pair")
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
    try:
        moment = datetime.fromisoformat(text)
        # In UTC, the year 10000 is an error here, not when the key is read.
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        if moment > datetime.now(UTC):
            return moment
    except (TypeError, ValueError, OverflowError):
        pass
    raise _invalid(
        "expires_at", "must be a time in the future, in ISO 8601, for example 2030-01-31T09:30:00Z"
    )


def _invalid(field: str, problem: str, **details: Any) -> UnprocessableError:
    return UnprocessableError(
        f"The field {field} {problem}.", code="key_invalid", details={"field": field, **details}
    )
