"""Image metadata: the only declaration of its fields, and the cleaning of their text.

Database columns, search tokens and the API's JSON derive from it. tests/unit/model/test_fields.py lists the
other places that must name each field.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from imageapi.model.schemas import InvalidFieldError
from imageapi.model.text import normalise_tag


class TextField(NamedTuple):
    """A text field.

    Attributes:
        max_length: in characters (code points), after normalization.
        is_multiline: whether it may contain line breaks and tabs.
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
TAG = TextField(64)
MAX_TAGS = 32
EMPTY: dict[str, Any] = {**dict.fromkeys(TEXT_FIELDS, ""), "tags": []}
"""The metadata of an image without any."""


def clean_metadata(values: Mapping[str, Any]) -> dict[str, Any]:
    """Clean the ``metadata`` of an upload, as :func:`clean_changes`; missing fields become empty. Errors name
    the path of a field, such as ``metadata.title``.
    """
    return {**EMPTY, **clean_changes(values, "metadata.")}


def clean_changes(values: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Clean the given fields: normalize (NFC) and strip text, and drop duplicate tags.

    Args:
        values: already checked against Metadata in openapi.json; null means empty.
        path: a prefix for the names of fields in errors.

    Returns:
        The same keys; ``tags`` is a list of str, every other value a str.

    Raises:
        InvalidFieldError: characters, too_long or too_many.
    """
    return {
        key: _clean_tags(path + key, value or [])
        if key == "tags"
        else clean_text(path + key, value or "", TEXT_FIELDS[key])
        for key, value in values.items()
    }


def _clean_tags(path: str, value: list[str]) -> list[str]:
    if len(value) > MAX_TAGS:
        raise InvalidFieldError(path, "too_many", f"must have at most {MAX_TAGS} entries", max=MAX_TAGS)
    # Of tags that are equal after normalization, keep the first. Drop empty ones.
    distinct: dict[str, str] = {}
    for tag in (clean_text(path, tag, TAG) for tag in value):
        distinct.setdefault(normalise_tag(tag), tag)
    return [tag for key, tag in distinct.items() if key]


def clean_text(path: str, value: str, field: TextField) -> str:
    """The text of a field, normalized and stripped. Raises as :func:`clean_changes`."""
    # Cs: lone surrogates, which UTF-8 cannot encode. Cc: control characters.
    allowed = "\n\t" if field.is_multiline else ""
    text = value.replace("\r\n", "\n")
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in allowed for c in text):
        raise InvalidFieldError(
            path, "characters", "must not contain control characters or unpaired surrogates"
        )
    text, longest = text.strip(), field.max_length
    # NFC reorders combining marks in quadratic time, and keeps at least a quarter of the length.
    if len(text) <= longest * 4:
        text = unicodedata.normalize("NFC", text).strip()
    if len(text) > longest:
        raise InvalidFieldError(path, "too_long", f"must have at most {longest:,} characters", max=longest)
    return text
