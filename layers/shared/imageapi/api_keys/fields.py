"""Clean the fields of an API key, after openapi.json's check. Pure."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from imageapi.model.metadata import TextField, clean_text
from imageapi.model.parameters import parse_time
from imageapi.model.schemas import InvalidFieldError
from imageapi.model.scopes import SCOPES

NAME = TextField(100)


def clean_key_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Clean the given fields: ``name`` (str), ``scopes`` (list of str), ``expires_at`` (datetime in the
    future, or None).

    Raises:
        InvalidFieldError: value, characters or too_long.
    """
    cleaners: dict[str, Callable[[Any], Any]] = {
        "name": _clean_name,
        "scopes": _sort_scopes,
        "expires_at": _parse_expiry,
    }
    return {name: cleaners[name](value) for name, value in values.items()}


def _clean_name(name: str) -> str:
    cleaned = clean_text("name", name, NAME)
    if not cleaned:
        raise InvalidFieldError("name", "value", "must not be empty")
    return cleaned


def _sort_scopes(scopes: list[str]) -> list[str]:
    return [scope for scope in SCOPES if scope in scopes]


def _parse_expiry(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = parse_time(text)
    if moment is None or moment <= datetime.now(UTC):
        problem = "must be a future time in RFC 3339, for example 2030-01-31T09:30:00Z"
        raise InvalidFieldError("expires_at", "value", problem)
    return moment
