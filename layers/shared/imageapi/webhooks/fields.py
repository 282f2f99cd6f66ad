"""The fields of a webhook that clients set: their validation."""

from collections.abc import Mapping
from typing import Any

from imageapi.config.settings import get_settings
from imageapi.model.change_types import ALL_TYPES, CHANGE_TYPES
from imageapi.model.parameters import InvalidFieldError, check_fields
from imageapi.webhook_sender.addresses import (
    LOOKUP_SECONDS,
    MAX_URL_LENGTH,
    AddressError,
    find_addresses,
    parse_url,
)

FIELDS = ("url", "types")
OVERLAP = "overlap_hours"
DEFAULT_OVERLAP, MAX_OVERLAP = 24, 168


def check_webhook_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check the given fields: ``url`` (str), ``types`` (list of str, in the order of CHANGE_TYPES).

    Raises:
        InvalidFieldError: type, value, too_long or address_private.
    """
    checks = {"url": _check_url, "types": _check_types}
    return {name: checks[name](value) for name, value in values.items()}


def check_overlap(values: Mapping[str, Any]) -> int:
    """``overlap_hours`` of a request: how long the former secret also signs.

    Raises:
        InvalidFieldError: unknown, type or value.
    """
    check_fields(values, (OVERLAP,))
    hours = values.get(OVERLAP, DEFAULT_OVERLAP)
    if type(hours) is not int:
        raise InvalidFieldError(OVERLAP, "type", "must be a whole number")
    if not 0 <= hours <= MAX_OVERLAP:
        raise InvalidFieldError(OVERLAP, "value", f"must be from 0 to {MAX_OVERLAP}", min=0, max=MAX_OVERLAP)
    return hours


def _check_types(types: Any) -> list[str]:
    known = [*CHANGE_TYPES, ALL_TYPES]
    if not isinstance(types, list):
        raise InvalidFieldError("types", "type", "must be a list of event types", known=known)
    if not types or any(name not in known for name in types):
        raise InvalidFieldError("types", "value", "must have known event types, at least one", known=known)
    return [ALL_TYPES] if ALL_TYPES in types else [name for name in CHANGE_TYPES if name in types]


def _check_url(url: Any) -> str:
    """The URL. Its addresses are checked again for each delivery: names get others."""
    if not isinstance(url, str):
        raise InvalidFieldError("url", "type", "must be a string")
    allow_private = get_settings().webhook_allow_private
    try:
        host = parse_url(url, allow_private=allow_private).host
        find_addresses(host, LOOKUP_SECONDS, allow_private=allow_private)
    except ValueError as error:
        reason = "too_long" if len(url) > MAX_URL_LENGTH else "value"
        raise InvalidFieldError("url", reason, str(error)) from None
    except TimeoutError:
        raise InvalidFieldError("url", "value", "has a host name that did not resolve in time") from None
    except AddressError as error:
        if error.code == "address_unknown":
            raise InvalidFieldError("url", "value", "has a host name that does not resolve") from None
        raise InvalidFieldError("url", error.code, "resolves to an address that is not public") from None
    return url
