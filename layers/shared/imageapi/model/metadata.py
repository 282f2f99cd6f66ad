"""Image metadata: the fields, and their validation and cleaning.

Each field is declared here once. Database columns, search tokens and the API's JSON derive from it;
tests/unit/model/test_fields.py lists the other places that must name it.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from imageapi.model.parameters import InvalidFieldError, check_fields
from imageapi.model.text import normalise_tag


class TextField(NamedTuple):
    """A text field.

    Attributes:
        max_length: in characters (code points), after normalisation.
        is_multiline: whether it may have line breaks and tabs.
        is_searched: whether full-text search covers it.
    """

    max_length: int
    is_multiline: bool = False
    is_searched: bool = False


TEXT_FIELDS = {
    "title": TextField(200, is_searched=True),
    "description": TextField(2_000, is_multiline=True, is_searched=True),
    "category": TextField(64),
}
FIELDS = (*TEXT_FIELDS, "tags")
MAX_TAGS = 32
MAX_TAG_LENGTH = 64
EMPTY: dict[str, Any] = {**dict.fromkeys(TEXT_FIELDS, ""), "tags": []}
"""The metadata of an image that has none."""


def validate_metadata(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check and clean the ``metadata`` of an upload, as :func:`validate_changes`; missing fields are empty.
    Errors name a field by its path, such as ``metadata.title``.
    """
    try:
        return {**EMPTY, **validate_changes(values)}
    except InvalidFieldError as error:
        raise error.within("metadata") from None


def validate_changes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check and clean the given fields. Text is normalised (NFC) and stripped; duplicate tags are dropped.

    Returns:
        The same keys; ``tags`` is a list of str, every other value a str.

    Raises:
        InvalidFieldError: unknown, type, characters, too_long or too_many.
    """
    check_fields(values, FIELDS)
    return {
        key: _clean_tags(value) if key == "tags" else _clean_text(key, "" if value is None else value)
        for key, value in values.items()
    }


def _clean_tags(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidFieldError("tags", "type", "must be a list of strings")
    if len(value) > MAX_TAGS:
        raise InvalidFieldError("tags", "too_many", f"has more than {MAX_TAGS} entries", max=MAX_TAGS)
    tags = [_clean_text("tags", tag) for tag in value]
    # Keep the first of the tags that are equal once normalised; drop those that become empty.
    distinct: dict[str, str] = {}
    for tag in tags:
        distinct.setdefault(normalise_tag(tag), tag)
    return [tag for key, tag in distinct.items() if key]


def _clean_text(field: str, value: Any) -> str:
    max_length, is_multiline, _ = TEXT_FIELDS.get(field, TextField(MAX_TAG_LENGTH))
    if not isinstance(value, str):
        expected = "a list of strings" if field == "tags" else "a string"
        raise InvalidFieldError(field, "type", f"must be {expected}")
    # Category Cs: lone surrogates, which UTF-8 cannot encode; Cc: control characters, including NUL.
    allowed = "\n\t" if is_multiline else ""
    text = value.replace("\r\n", "\n")
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in allowed for c in text):
        raise InvalidFieldError(field, "characters", "contains a control character or an unpaired surrogate")
    text = text.strip()
    # NFC takes quadratic time to reorder combining marks, and leaves at least a quarter of the length.
    if len(text) <= max_length * 4:
        text = unicodedata.normalize("NFC", text).strip()
    if len(text) > max_length:
        raise InvalidFieldError(
            field, "too_long", f"is longer than {max_length:,} characters", max=max_length
        )
    return text
