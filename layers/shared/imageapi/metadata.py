"""An image's title, description, category and tags: checked and cleaned. Pure."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imageapi.errors import InvalidRequestError, UnprocessableError
from imageapi.text import normalise_tag

MAX_JSON_BYTES = 65_536
MAX_LENGTH = {"title": 200, "description": 2_000, "category": 64}
"""In characters (code points), after normalisation."""
MAX_TAGS = 32
MAX_TAG_LENGTH = 64
FIELDS = ("title", "description", "category", "tags")


@dataclass(frozen=True)
class Metadata:
    """Validated metadata; fields that were not sent are empty."""

    title: str = ""
    description: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()


def parse_json_object(text: bytes | str, name: str = "metadata") -> dict[str, Any]:
    """Parse a JSON object out of a request.

    Raises:
        InvalidRequestError: ``<name>_not_json``.
        UnprocessableError: ``<name>_too_long`` or ``<name>_not_an_object``.
    """
    if len(text) > MAX_JSON_BYTES:
        raise UnprocessableError(
            f"The {name} is longer than {MAX_JSON_BYTES:,} bytes.",
            code=f"{name}_too_long",
            details={"max_bytes": MAX_JSON_BYTES},
        )
    try:
        value = json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(
            f"The {name} is not valid JSON in UTF-8.", code=f"{name}_not_json"
        ) from error
    if not isinstance(value, dict):
        raise UnprocessableError(f"The {name} must be a JSON object.", code=f"{name}_not_an_object")
    return value


def validate_metadata(values: Mapping[str, Any]) -> Metadata:
    """Check and clean a whole metadata object; missing fields are empty. See :func:`validate_changes`."""
    return Metadata(**validate_changes(values))


def validate_changes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check and clean the fields that are there. Text is normalised (NFC) and stripped, tags lose their
    repeats.

    Returns:
        The same keys, with ``tags`` as a tuple.

    Raises:
        UnprocessableError: ``metadata_unknown_field``, ``metadata_wrong_type``, ``metadata_invalid_text`` or
            ``metadata_too_long``; ``details.field`` names the field.
    """
    for key in values:
        if key not in FIELDS:
            shown = key[:64].encode("utf-8", "replace").decode()
            raise _refuse("unknown_field", shown, f"is not known; known are {', '.join(FIELDS)}")
    clean: dict[str, Any] = {}
    for key, value in values.items():
        if key == "tags":
            clean[key] = _clean_tags(value)
        else:
            clean[key] = _clean_text(key, "" if value is None else value, MAX_LENGTH[key])
    return clean


def _clean_tags(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _refuse("wrong_type", "tags", "must be a list of strings")
    if len(value) > MAX_TAGS:
        raise _refuse("too_long", "tags", f"has more than {MAX_TAGS} entries", max=MAX_TAGS)
    tags = [_clean_text("tags", tag, MAX_TAG_LENGTH) for tag in value]
    # Of tags that are equal when normalised the first stays; those that are empty then are dropped.
    distinct: dict[str, str] = {}
    for tag in tags:
        distinct.setdefault(normalise_tag(tag), tag)
    return tuple(tag for key, tag in distinct.items() if key)


def _clean_text(field: str, value: Any, max_length: int) -> str:
    if not isinstance(value, str):
        raise _refuse(
            "wrong_type", field, "must be a string" if field != "tags" else "must be a list of strings"
        )
    # Category Cs are lone surrogates, which UTF-8 cannot hold; Cc are controls, NUL among them.
    allowed = "\n\t" if field == "description" else ""
    text = value.replace("\r\n", "\n")
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in allowed for c in text):
        raise _refuse("invalid_text", field, "has a control character or half a surrogate pair")
    text = text.strip()
    # Composing takes the square of the length where it has marks to sort, and leaves a quarter at the least.
    if len(text) <= max_length * 4:
        text = unicodedata.normalize("NFC", text).strip()
    if len(text) > max_length:
        raise _refuse("too_long", field, f"is longer than {max_length:,} characters", max=max_length)
    return text


def _refuse(kind: str, field: str, problem: str, **details: Any) -> UnprocessableError:
    return UnprocessableError(
        f"The field {field} of the metadata {problem}.",
        code=f"metadata_{kind}",
        details={"field": field, **details},
    )
