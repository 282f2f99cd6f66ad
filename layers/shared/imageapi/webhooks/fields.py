"""Check the fields of a webhook beyond openapi.json."""

from collections.abc import Callable, Mapping
from typing import Any

from imageapi.config.settings import get_settings
from imageapi.model.change_types import ALL_TYPES, CHANGE_TYPES
from imageapi.model.schemas import InvalidFieldError
from imageapi.webhook_sender.addresses import (
    LOOKUP_SECONDS,
    MAX_URL_LENGTH,
    AddressError,
    find_addresses,
    parse_url,
)


def clean_webhook_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check the given fields: ``url`` (str), ``types`` (list of str, in the order of CHANGE_TYPES).

    Raises:
        InvalidFieldError: value, too_long or address_private.
    """
    cleaners: dict[str, Callable[[Any], Any]] = {"url": _check_url, "types": _sort_types}
    return {name: cleaners[name](value) for name, value in values.items()}


def _sort_types(types: list[str]) -> list[str]:
    return [ALL_TYPES] if ALL_TYPES in types else [name for name in CHANGE_TYPES if name in types]


def _check_url(url: str) -> str:
    """Check the URL. Each delivery checks the addresses again, because they can change."""
    allow_private = get_settings().webhook_allow_private
    try:
        host = parse_url(url, allow_private=allow_private).host
        find_addresses(host, LOOKUP_SECONDS, allow_private=allow_private)
    except ValueError as error:
        reason = "too_long" if len(url) > MAX_URL_LENGTH else "value"
        raise InvalidFieldError("url", reason, str(error)) from None
    except TimeoutError:
        raise InvalidFieldError(
            "url", "value", "has a host name that did not resolve in time. Try again"
        ) from None
    except AddressError as error:
        if error.code == "address_unknown":
            raise InvalidFieldError(
                "url", "value", "has a host name that does not resolve. Check its spelling"
            ) from None
        raise InvalidFieldError("url", error.code, "must resolve to public addresses only") from None
    return url
