"""Validation of query parameters and of the fields of JSON objects, shared by all routes. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from imageapi.errors import InvalidRequestError, UnprocessableError


class InvalidParameterError(InvalidRequestError):
    """400: a query parameter has an invalid value; ``details.parameter`` names the parameter."""

    code = "parameter_invalid"

    def __init__(self, name: str, problem: str, **details: Any) -> None:
        super().__init__(f"The query parameter {name} {problem}.", details={"parameter": name, **details})


class InvalidFieldError(UnprocessableError):
    """422: a field of a JSON object is invalid; ``details.field`` names the field."""

    def __init__(self, field: str, problem: str, *, code: str, **details: Any) -> None:
        super().__init__(f"The field {field} {problem}.", code=code, details={"field": field, **details})


def check_known(names: Iterable[str], known: Collection[str]) -> None:
    """Refuse query parameters that a route does not have.

    Raises:
        InvalidRequestError: ``parameter_unknown``.
    """
    for name in sorted(names):
        if name not in known:
            raise InvalidRequestError(
                f"Unknown query parameter {name[:64]!r}.",
                code="parameter_unknown",
                details={"known": sorted(known)},
            )


def check_fields(names: Iterable[str], known: Collection[str], code: str) -> None:
    """Refuse fields that a JSON object does not have.

    Raises:
        InvalidFieldError: with this code.
    """
    for name in names:
        if name not in known:
            shown = name[:64].encode("utf-8", "replace").decode()  # without half a surrogate pair
            raise InvalidFieldError(shown, f"is unknown. Allowed fields: {', '.join(known)}", code=code)


def single(parameters: Mapping[str, Sequence[str]], repeatable: Collection[str] = ()) -> dict[str, str]:
    """Each parameter with its first value.

    Args:
        parameters: the query string: all values of each name.
        repeatable: names that may occur more than once.

    Raises:
        InvalidRequestError: ``parameter_repeated``.
    """
    for name, values in parameters.items():
        if len(values) > 1 and name not in repeatable:
            raise InvalidRequestError(
                f"The query parameter {name[:64]!r} was sent more than once.", code="parameter_repeated"
            )
    return {name: values[0] for name, values in parameters.items() if values}


def parse_flag(name: str, text: str | None) -> bool:
    """Parse ``true`` or ``false``; false when absent.

    Raises:
        InvalidParameterError: any other value.
    """
    if text not in (None, "true", "false"):
        raise InvalidParameterError(name, "must be true or false")
    return text == "true"


def wants_permanent_links(text: str | None) -> bool:
    """Parse ``links=permanent``: whether links are to last until they are revoked.

    Raises:
        InvalidParameterError: any other value.
    """
    if text not in (None, "permanent"):
        raise InvalidParameterError("links", "must be permanent")
    return text == "permanent"


def parse_limit(text: str | None, default: int, maximum: int) -> int:
    """Parse the maximum number of entries in a list.

    Raises:
        InvalidRequestError: ``limit_invalid``.
    """
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= maximum:
        return int(text)
    raise InvalidRequestError(
        f"limit must be a whole number from 1 to {maximum}.", code="limit_invalid", details={"max": maximum}
    )


def parse_time(name: str, text: str | None) -> datetime | None:
    """Parse an ISO 8601 date or time, in UTC unless it has an offset; None when absent.

    Raises:
        InvalidParameterError: any other value.
    """
    if text is None:
        return None
    try:
        # A plus sign that was not percent-encoded arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidParameterError(
            name, "must be a date or a time in ISO 8601, for example 2026-11-24T09:30:00Z"
        ) from None


def parse_pixels(name: str, text: str | None) -> int | None:
    """Parse a number of pixels, 1 or more; None when absent.

    Raises:
        InvalidParameterError: any other value.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 7 and int(text) > 0):
        raise InvalidParameterError(name, "must be a number of pixels")
    return int(text)
