"""Check and convert query parameters as openapi.json declares them. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from imageapi.errors import InvalidRequestError
from imageapi.model.schemas import InvalidParameterError, check_value


def parse_query(
    query: Mapping[str, Sequence[str]], declared: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Check and convert query parameters.

    Args:
        query: all values of each parameter.
        declared: the parameters by name, as in OpenAPI.

    Returns:
        The value of each declared parameter: a list for an array; the default or None if it was not sent.

    Raises:
        InvalidRequestError: ``parameter_unknown``, ``parameter_repeated``, ``parameter_invalid``.
    """
    for name in query:
        if name not in declared:
            raise InvalidRequestError(
                f"Unknown query parameter {name[:64]!r}. details.known lists the allowed ones.",
                code="parameter_unknown",
                details={"parameter": name[:64], "known": sorted(declared)},
            )
    return {name: _parse_values(name, query.get(name, ()), each) for name, each in declared.items()}


def _parse_values(name: str, values: Sequence[str], declared: Mapping[str, Any]) -> Any:
    schema = declared["schema"]
    if schema["type"] == "array":
        if not declared.get("explode", True):
            values = [part for value in values for part in value.split(",")]
        if len(values) > schema["maxItems"]:
            limit = schema["maxItems"]
            raise InvalidParameterError(name, "too_many", f"must have at most {limit} values", max=limit)
        return [_parse_value(name, value, schema["items"]) for value in values]
    if not values:
        return schema.get("default")
    text = single(name, values)
    return "" if declared.get("allowEmptyValue") and not text else _parse_value(name, text, schema)


def single(name: str, values: Sequence[str]) -> str:
    """The only value of a parameter.

    Raises:
        InvalidRequestError: ``parameter_repeated``.
    """
    if len(values) > 1:
        message = f"The query parameter {name[:64]} appears more than once. Send it once."
        raise InvalidRequestError(message, code="parameter_repeated", details={"parameter": name[:64]})
    return values[0]


def _parse_value(name: str, text: str, schema: Mapping[str, Any]) -> Any:
    if not text:
        raise InvalidParameterError(name, "empty", "must not be empty")
    if schema.get("format") == "date-time":
        return _parse_moment(name, text)
    value: Any = text
    if schema["type"] == "boolean":
        value = {"true": True, "false": False}.get(text, text)
    elif schema["type"] == "integer":
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text
    elif "\0" in text or text != text.encode("utf-8", "ignore").decode():
        raise InvalidParameterError(name, "characters", "must not contain NUL or unpaired surrogates")
    elif len(text) > schema.get("maxLength", len(text)):
        longest = schema["maxLength"]
        raise InvalidParameterError(
            name, "too_long", f"must have at most {longest:,} characters", max=longest
        )
    check_value(name, value, schema, InvalidParameterError)
    return value


def _parse_moment(name: str, text: str) -> datetime:
    # An unencoded plus sign arrives as a space.
    moment = parse_time(text.replace(" ", "+") if "T" in text else text)
    if moment is None:
        raise InvalidParameterError(
            name, "value", "must be a date or a time (RFC 3339), for example 2026-11-24T09:30:00Z"
        )
    return moment


def parse_time(text: str) -> datetime | None:
    """A date or time in RFC 3339, in UTC unless it has an offset; None for any other text."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
