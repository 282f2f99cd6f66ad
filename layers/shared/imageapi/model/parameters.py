"""Validation of query parameters and of the fields of JSON objects, shared by all routes. Pure.

Parameters are checked and converted as openapi.json declares them.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from imageapi.errors import InvalidRequestError, UnprocessableError


class InvalidParameterError(InvalidRequestError):
    """400: a query parameter or header has an invalid value.

    ``details`` has ``parameter``, ``reason`` (empty, type, value, too_long, too_many or characters), and what
    is allowed.
    """

    code = "parameter_invalid"

    def __init__(self, name: str, reason: str, problem: str, **details: Any) -> None:
        details = {"parameter": name, "reason": reason, **details}
        super().__init__(f"The parameter {name} {problem}.", details=details)


class InvalidFieldError(UnprocessableError):
    """422: a field of the body is invalid.

    ``details`` has ``field``, its path; ``reason`` (required, unknown, type, value, too_long, too_many,
    characters, repeated, scope or address_private); and what is allowed.
    """

    code = "field_invalid"

    def __init__(self, field: str, reason: str, problem: str, **details: Any) -> None:
        self._field, self._problem, self._details = field, problem, {"reason": reason, **details}
        super().__init__(f"The field {field} {problem}.", details={"field": field, **self._details})

    def within(self, parent: str) -> "InvalidFieldError":
        """The same error, of a field of the object ``parent``."""
        return InvalidFieldError(f"{parent}.{self._field}", problem=self._problem, **self._details)


def check_fields(values: Mapping[str, Any], known: Collection[str], required: Collection[str] = ()) -> None:
    """Check the names of a JSON object's fields.

    Raises:
        InvalidFieldError: unknown or required.
    """
    for name in values:
        if name not in known:
            shown = name[:64].encode("utf-8", "replace").decode()  # without half a surrogate pair
            raise InvalidFieldError(shown, "unknown", "is unknown", known=sorted(known))
    for name in required:
        if name not in values:
            raise InvalidFieldError(name, "required", "is missing")


def parse_query(
    query: Mapping[str, Sequence[str]], declared: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Check and convert query parameters.

    Args:
        query: all values of each name.
        declared: the parameters by name, as in OpenAPI.

    Returns:
        A value for each declared parameter: its default or None if it was not sent, a list for an array.

    Raises:
        InvalidRequestError: ``parameter_unknown``, ``parameter_repeated``, ``parameter_invalid``.
    """
    for name in query:
        if name not in declared:
            raise InvalidRequestError(
                f"Unknown query parameter {name[:64]!r}.",
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
            raise InvalidParameterError(name, "too_many", f"takes at most {limit} values", max=limit)
        return [_parse_value(name, value, schema["items"]) for value in values]
    if not values:
        return schema.get("default")
    text = single(name, values)
    return "" if declared.get("allowEmptyValue") and not text else _parse_value(name, text, schema)


def single(name: str, values: Sequence[str]) -> str:
    """The value of a parameter that has one.

    Raises:
        InvalidRequestError: ``parameter_repeated``.
    """
    if len(values) > 1:
        message = f"The query parameter {name[:64]} was sent more than once."
        raise InvalidRequestError(message, code="parameter_repeated", details={"parameter": name[:64]})
    return values[0]


def _parse_value(name: str, text: str, schema: Mapping[str, Any]) -> Any:
    if not text:
        raise InvalidParameterError(name, "empty", "is empty")
    if schema["type"] == "boolean":
        return _choose(name, text, ["true", "false"]) == "true"
    if schema["type"] == "integer":
        return _parse_integer(name, text, schema["minimum"], schema["maximum"])
    if schema.get("format") == "date-time":
        return _parse_time_parameter(name, text)
    if "enum" in schema:
        return _choose(name, text, schema["enum"])
    return _parse_text(name, text, schema)


def _choose(name: str, text: str, allowed: Sequence[str]) -> str:
    if text not in allowed:
        raise InvalidParameterError(name, "value", f"must be {' or '.join(allowed)}", allowed=allowed)
    return text


def _parse_integer(name: str, text: str, minimum: int, maximum: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 20 and minimum <= int(text) <= maximum:
        return int(text)
    problem = f"must be a whole number from {minimum:,} to {maximum:,}"
    raise InvalidParameterError(name, "value", problem, min=minimum, max=maximum)


def _parse_text(name: str, text: str, schema: Mapping[str, Any]) -> str:
    if "\0" in text or text != text.encode("utf-8", "ignore").decode():
        raise InvalidParameterError(name, "characters", "contains invalid characters")
    longest = schema.get("maxLength", len(text))
    if len(text) > longest:
        problem = f"is longer than {longest:,} characters"
        raise InvalidParameterError(name, "too_long", problem, max=longest)
    pattern = schema.get("pattern")
    if pattern and not re.fullmatch(pattern, text):
        raise InvalidParameterError(name, "value", f"does not match {pattern}", pattern=pattern)
    return text


def _parse_time_parameter(name: str, text: str) -> datetime:
    # A plus sign that was not percent-encoded arrives as a space.
    moment = parse_time(text.replace(" ", "+") if "T" in text else text)
    if moment is None:
        raise InvalidParameterError(
            name, "value", "must be a date or a time (RFC 3339), for example 2026-11-24T09:30:00Z"
        )
    return moment


def parse_time(text: str) -> datetime | None:
    """A date or time of RFC 3339, in UTC unless it has an offset; None for any other text."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
