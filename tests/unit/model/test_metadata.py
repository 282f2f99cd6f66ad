"""Title, description, category and tags: limits, types and characters."""

import json
import unicodedata
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.errors import AppError
from imageapi.http.json_body import MAX_JSON_BYTES, parse_json_object
from imageapi.model import metadata
from imageapi.model.metadata import EMPTY, FIELDS, MAX_TAGS, TAG, TEXT_FIELDS, clean_changes, clean_metadata
from imageapi.model.schemas import check_body

from tests.support.openapi import schema
from tests.support.properties import any_text, attempt, check, is_storable, utf8_text
from tests.unit.model.test_schemas import json_values

MANY_TAGS = [f"tag {n}" for n in range(MAX_TAGS)]


def refusal(values: dict[str, Any]) -> tuple[str, Any]:
    error = attempt(clean_changes, values)
    assert isinstance(error, AppError)
    assert error.status == 422
    assert error.details
    assert error.code == "field_invalid"
    return error.details["reason"], error.details["field"]


@pytest.mark.parametrize(
    ("values", "clean"),
    [
        ({}, {}),
        ({"title": " new "}, {"title": "new"}),
        (dict.fromkeys(FIELDS), EMPTY),
        ({"title": "  が  ", "category": "\u3000カメラ\u3000"}, {"title": "が", "category": "カメラ"}),
        ({"description": "one\r\ntwo\n\tthree\r\n"}, {"description": "one\ntwo\n\tthree"}),
        ({"tags": ["b", " b ", "a", "", "  ", "\u0301"]}, {"tags": ["b", "a"]}),
        ({"tags": ["b", "Café", "cafe\u0301", "B"]}, {"tags": ["b", "Café"]}),
    ],
)
def test_cleaning(values: dict[str, Any], clean: dict[str, Any]) -> None:
    assert clean_changes(values) == clean
    assert clean_metadata(values) == {"title": "", "description": "", "category": "", "tags": []} | clean


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_the_length_of_a_text_is_in_characters_after_normalisation(field: str) -> None:
    limit = TEXT_FIELDS[field].max_length
    assert clean_changes({field: " " + "e\u0301" * limit + " "}) == {field: "é" * limit}
    assert clean_changes({field: "🌸" * limit}) == {field: "🌸" * limit}


UNPRINTABLE = [f"a{character}b" for character in ("\0", "\x1b", "\x7f", "\x85", "\ud83d", chr(0xDC00), "\r")]
LINES = ["a\nb", "a\tb", "a\r\nb"]


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_texts_that_are_refused(field: str) -> None:
    for text in UNPRINTABLE if TEXT_FIELDS[field].is_multiline else UNPRINTABLE + LINES:
        assert refusal({field: text}) == ("characters", field)
    assert refusal({field: "写" * (TEXT_FIELDS[field].max_length + 1)}) == ("too_long", field)


def test_tags_that_are_refused_and_the_most_and_the_longest() -> None:
    for tags in (MANY_TAGS, ["x" * TAG.max_length]):
        assert clean_changes({"tags": tags}) == {"tags": tags}
    for tag in UNPRINTABLE + LINES:
        assert refusal({"tags": [tag]}) == ("characters", "tags")
    assert refusal({"tags": ["x" * (TAG.max_length + 1)]}) == ("too_long", "tags")
    assert refusal({"tags": [*MANY_TAGS, "one more"]}) == ("too_many", "tags")


@pytest.mark.parametrize(
    ("texts", "status", "reason"),
    [
        ([b"", b"{", b"a=x", b"{'a': 'x'}", b'{"a": 1,}', b'{"a": 1} {"b": 2}'], 400, "json"),
        ([b'{"a": "\xff"}', b"\xef\xbb\xbf{}", b'{"a": "b\nc"}', "{}".encode("utf-16")], 400, "json"),
        ([b'{"a": ' + b"9" * 5_000 + b"}", b'{"a":' * 13_000, b"[" * 60_000], 400, "json"),
        ([b"null", b"[]", b'"title"', b"1", b"true", b"NaN", b"1e999"], 400, "type"),
        ([b"{}" + b" " * (MAX_JSON_BYTES - 1)], 413, None),
    ],
)
@pytest.mark.parametrize("name", ["metadata", "body"])
def test_json_that_is_refused(texts: list[bytes], status: int, reason: str | None, name: str) -> None:
    for text in texts:
        error = attempt(parse_json_object, text, name)
        assert isinstance(error, AppError)
        assert (error.status, (error.details or {}).get("reason")) == (status, reason)


def test_json_as_bytes_and_text() -> None:
    for text in ('{"title": "桜"}', '{"title": "桜"}'.encode(), b' \n{"title": "\\u685c"} '):
        assert parse_json_object(text) == {"title": "桜"}
    assert parse_json_object(b"{}" + b" " * (MAX_JSON_BYTES - 2)) == {}


def test_whole_limits_fit_into_the_json() -> None:
    """The longest allowed values, all of four-byte UTF-8 characters, fit together."""
    values = {field: "🌸" * length for field, (length, *_) in TEXT_FIELDS.items()}
    tags = [f"{n:02}" + "🌸" * (TAG.max_length - 2) for n in range(MAX_TAGS)]
    text = json.dumps(values | {"tags": tags}, ensure_ascii=False).encode()
    assert len(clean_metadata(parse_json_object(text))["tags"]) == MAX_TAGS


@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_only_short_texts_are_composed(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Composition is quadratic in the length when there are marks to sort."""
    limit = TEXT_FIELDS[field].max_length
    normalize = unicodedata.normalize

    def compose(form: Any, text: str) -> str:
        assert len(text) <= limit * 4
        return normalize(form, text)

    fake = SimpleNamespace(normalize=compose, category=unicodedata.category)
    monkeypatch.setattr(metadata, "unicodedata", fake)
    assert refusal({field: "a" + "\u0301\u0316" * limit * 2}) == ("too_long", field)
    # Four characters that compose to one, with surrounding spaces that do not count.
    text = " " * limit * 4 + "\u03b1\u0313\u0300\u0345" * limit + " "
    assert clean_changes({field: text}) == {field: "\u1f82" * limit}


short_text = utf8_text.map(lambda text: text[:60])
good_objects = st.fixed_dictionaries({}, optional=dict.fromkeys(TEXT_FIELDS, short_text))
likely_values = any_text | short_text | json_values | st.lists(any_text | short_text, max_size=40)
likely_objects = st.dictionaries(st.sampled_from(FIELDS), likely_values)
objects = st.builds(json.dumps, json_values | likely_objects | good_objects, ensure_ascii=st.booleans())
texts = st.binary(max_size=200) | any_text | st.text('{}[]":,\\u0dtrue1e9 ', max_size=60)


@check
@given(objects | objects.map(lambda text: text.encode("utf-8", "surrogatepass")) | texts)
def test_any_json_is_refused_or_cleaned(text: bytes | str) -> None:
    """Clean values can be stored, and cleaning is idempotent."""
    clean = attempt(lambda: clean_metadata(check_body(parse_json_object(text), schema("Metadata"))))
    if isinstance(clean, AppError):
        return
    assert set(clean) == set(FIELDS)
    tags = clean["tags"]
    assert all(is_storable(text) for text in (*tags, *(clean[field] for field in TEXT_FIELDS)))
    assert all(len(clean[name]) <= field.max_length for name, field in TEXT_FIELDS.items())
    assert len(tags) <= MAX_TAGS
    assert len(set(tags) - {""}) == len(tags)
    assert clean_metadata(clean) == clean
