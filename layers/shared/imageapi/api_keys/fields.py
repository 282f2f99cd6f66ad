"""The fields of an API key that clients set: their validation. Pure."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from imageapi.model.parameters import InvalidFieldError, parse_time
from imageapi.model.scopes import SCOPES

MAX_NAME_LENGTH = 100


def check_key_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check and clean the given fields: ``name`` (str), ``scopes`` (list of str), ``expires_at`` (datetime in
    the future, or None).

    Raises:
        InvalidFieldError: type, value, characters, too_long or scope.
    """
    checks = {"name": _check_name, "scopes": _check_scopes, "expires_at": _check_expiry}
    return {name: checks[name](value) for name, value in values.items()}


def _check_name(name: Any) -> str:
    if not isinstance(name, str):
        raise InvalidFieldError("name", "type", "must be a string")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        problem = "contains a control character or an unpaired surrogate"
        raise InvalidFieldError("name", "characters", problem)
    cleaned = name.strip()
    if not cleaned:
        raise InvalidFieldError("name", "value", "is empty")
    if len(cleaned) > MAX_NAME_LENGTH:
        problem = f"is longer than {MAX_NAME_LENGTH} characters"
        raise InvalidFieldError("name", "too_long", problem, max=MAX_NAME_LENGTH)
    return cleaned


def _check_scopes(scopes: Any) -> list[str]:
    if not isinstance(scopes, list):
        raise InvalidFieldError("scopes", "type", "must be a list of scopes", known=list(SCOPES))
    if not scopes:
        raise InvalidFieldError("scopes", "value", "must have at least one scope", known=list(SCOPES))
    if any(scope not in SCOPES for scope in scopes):
        raise InvalidFieldError("scopes", "scope", "has an unknown scope", known=list(SCOPES))
    return [scope for scope in SCOPES if scope in scopes]


def _check_expiry(text: Any) -> datetime | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise InvalidFieldError("expires_at", "type", "must be a string or null")
    moment = parse_time(text)
    if moment is None or moment <= datetime.now(UTC):
        problem = "must be a future time in RFC 3339, for example 2030-01-31T09:30:00Z"
        raise InvalidFieldError("expires_at", "value", problem)
    return moment
