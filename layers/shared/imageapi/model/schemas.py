"""Check bodies and parameters against the schemas of openapi.json. Pure.

This covers the part of JSON Schema that the document uses, except lengths of text: they are checked after
normalization, which changes them.
"""

import re
from collections.abc import Mapping
from typing import Any

from imageapi.errors import InvalidRequestError, UnprocessableError
from imageapi.model.ids import is_id

Schema = Mapping[str, Any]

# Compared exactly: True is an int in Python, but not an integer.
_TYPES = {
    "string": (str, "a string"),
    "integer": (int, "a whole number"),
    "boolean": (bool, "true or false"),
    "array": (list, "a list"),
    "object": (dict, "an object"),
    "null": (type(None), "null"),
}
_LIMITS = {"min": "minimum", "max": "maximum"}
_WORDS = {"min": "least", "max": "most"}


class InvalidParameterError(InvalidRequestError):
    """400: a query parameter or header has an invalid value.

    ``details`` contains ``parameter``, ``reason`` (empty, type, value, too_long, too_many or characters), and
    the allowed values or limits.
    """

    code = "parameter_invalid"

    def __init__(self, name: str, reason: str, problem: str, **details: Any) -> None:
        details = {"parameter": name, "reason": reason, **details}
        super().__init__(f"The parameter {name} {problem}.", details=details)


class InvalidFieldError(UnprocessableError):
    """422: a field of the body is invalid.

    ``details`` contains ``field`` (its path), ``reason`` (required, unknown, type, value, too_long, too_many,
    characters, repeated or address_private), and the allowed values or limits.
    """

    code = "field_invalid"

    def __init__(self, field: str, reason: str, problem: str, **details: Any) -> None:
        details = {"field": field, "reason": reason, **details}
        super().__init__(f"The field {field} {problem}.", details=details)


ErrorType = type[InvalidFieldError] | type[InvalidParameterError]


def check_body(values: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """Check a JSON object against its schema.

    Returns:
        The object, with the defaults of missing fields.

    Raises:
        InvalidFieldError: required, unknown, type, value, too_many or repeated.
    """
    check_value("", values, schema)
    properties = schema["properties"].items()
    return {**{name: each["default"] for name, each in properties if "default" in each}, **values}


def check_value(path: str, value: Any, schema: Schema, error: ErrorType = InvalidFieldError) -> None:
    """Check any value against its schema.

    Args:
        path: of the field, such as ``metadata.tags.0``, or of the parameter; empty for the body itself.
        error: raised with the path, a reason, and the allowed values or limits.
    """
    names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    if type(value) not in [_TYPES[name][0] for name in names]:
        raise error(path, "type", f"must be {' or '.join(_TYPES[name][1] for name in names)}")
    if isinstance(value, dict):
        _check_object(path, value, schema)
    elif isinstance(value, list):
        _check_list(path, value, schema)
    elif isinstance(value, str):
        _check_text(path, value, schema, error)
    elif type(value) is int:
        _check_number(path, value, schema, error)


def check_names(path: str, names: Mapping[str, Any], schema: Schema) -> None:
    """Check that an object contains only fields of its schema.

    Raises:
        InvalidFieldError: unknown.
    """
    known = [*schema["properties"]]
    for name in names:
        if name not in known:
            shown = name[:64].encode("utf-8", "replace").decode()  # replaces lone surrogates
            problem = f"is unknown. Allowed fields: {', '.join(known)}"
            raise InvalidFieldError(f"{path}{shown}", "unknown", problem, known=known)


def _check_object(path: str, value: dict[str, Any], schema: Schema) -> None:
    prefix = f"{path}." if path else ""
    check_names(prefix, value, schema)
    for name in schema.get("required", ()):
        if name not in value:
            raise InvalidFieldError(f"{prefix}{name}", "required", "is missing")
    for name, item in value.items():
        check_value(f"{prefix}{name}", item, schema["properties"][name])


def _check_list(path: str, value: list[Any], schema: Schema) -> None:
    least, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
    if len(value) < least:
        raise InvalidFieldError(path, "value", f"must have {least} or more entries", min=least)
    if len(value) > most:
        raise InvalidFieldError(path, "too_many", f"must have at most {most} entries", max=most)
    earlier: list[Any] = []
    for place, item in enumerate(value):
        check_value(f"{path}.{place}", item, schema["items"])
        same = item.lower() if schema["items"].get("format") == "uuid" else item  # ids ignore case
        if schema.get("uniqueItems") and same in earlier:
            raise InvalidFieldError(f"{path}.{place}", "repeated", "must not repeat an earlier entry")
        earlier.append(same)


def _check_text(path: str, value: str, schema: Schema, error: ErrorType) -> None:
    allowed, pattern = schema.get("enum"), schema.get("pattern")
    if allowed and value not in allowed:
        raise error(path, "value", f"must be one of {', '.join(allowed)}", allowed=allowed)
    if pattern and not re.fullmatch(pattern, value):
        raise error(path, "value", f"must match {pattern}", pattern=pattern)
    if schema.get("format") == "uuid" and not is_id(value):
        raise error(path, "value", "must be a UUID")


def _check_number(path: str, value: int, schema: Schema, error: ErrorType) -> None:
    limits = {short: schema[name] for short, name in _LIMITS.items() if name in schema}
    if not limits.get("min", value) <= value <= limits.get("max", value):
        problem = "must be " + " and ".join(f"at {_WORDS[name]} {limits[name]:,}" for name in limits)
        raise error(path, "value", problem, **limits)
