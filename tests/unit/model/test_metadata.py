"""Title, description, category and tags: limits, types and characters."""

import json
import unicodedata
from types import SimpleNamespace
from typing import Any

import pytest
from imageapi.errors import AppError
from imageapi.http.json_body import MAX_JSON_BYTES, parse_json_object
from imageapi.model import metadata
from imageapi.model.metadata import (
    MAX_TAG_LENGTH,
    MAX_TAGS,
    TEXT_FIELDS,
    validate_changes,
    validate_metadata,
)

TEXTS = list(TEXT_FIELDS)
EMPTY = {**dict.fromkeys(TEXTS, ""), "tags": []}


def refusal(values: dict[str, Any]) -> tuple[int, str, Any]:
    with pytest.raises(AppError) as caught:
        validate_metadata(values)
    error = caught.value
    assert error.details is not None
    error.message.encode()
    json.dumps(error.details, ensure_ascii=False).encode()
    return error.status, error.code, error.details["field"]


def parse_refusal(text: bytes | str, name: str = "metadata") -> tuple[int, str]:
    with pytest.raises(AppError) as caught:
        parse_json_object(text, name)
    return caught.value.status, caught.value.code


def test_nothing_said_is_empty() -> None:
    assert validate_metadata({}) == EMPTY


def test_all_said() -> None:
    values = {"title": "花見", "description": "上野で\n撮った", "category": "春", "tags": ["桜", "Tokyo"]}
    assert validate_metadata(values) == EMPTY | values


def test_null_is_empty() -> None:
    assert validate_metadata(dict.fromkeys([*TEXTS, "tags"])) == EMPTY


def test_changes_hold_only_what_was_said() -> None:
    assert validate_changes({"title": " new "}) == {"title": "new"}
    assert validate_changes({"tags": ["b", "a"]}) == {"tags": ["b", "a"]}
    assert validate_changes({}) == {}


@pytest.mark.parametrize("field", TEXTS)
def test_limits_of_texts(field: str) -> None:
    limit = TEXT_FIELDS[field].max_length
    assert validate_metadata({field: "写" * limit})[field] == "写" * limit
    assert refusal({field: "写" * (limit + 1)}) == (422, "metadata_too_long", field)


@pytest.mark.parametrize("field", TEXTS)
def test_limits_are_in_characters_after_normalisation(field: str) -> None:
    limit = TEXT_FIELDS[field].max_length
    assert validate_metadata({field: " " + "e\u0301" * limit + " "})[field] == "é" * limit
    assert validate_metadata({field: "🌸" * limit})[field] == "🌸" * limit


def test_the_limits_that_are_documented() -> None:
    limits = {name: field.max_length for name, field in TEXT_FIELDS.items()}
    assert (limits["title"], limits["description"], limits["category"]) == (200, 2_000, 64)
    assert (MAX_TAGS, MAX_TAG_LENGTH, MAX_JSON_BYTES) == (32, 64, 65_536)


def test_limits_of_tags() -> None:
    many = [f"tag {n}" for n in range(MAX_TAGS)]
    assert validate_metadata({"tags": many})["tags"] == many
    assert refusal({"tags": [*many, "one more"]}) == (422, "metadata_too_long", "tags")
    assert validate_metadata({"tags": ["x" * MAX_TAG_LENGTH]})["tags"] == ["x" * MAX_TAG_LENGTH]
    assert refusal({"tags": ["x" * (MAX_TAG_LENGTH + 1)]}) == (422, "metadata_too_long", "tags")


def test_tags_lose_repeats_and_blanks_and_keep_their_order() -> None:
    tags = ["b", " b ", "a", "", "  ", "\u0301", "Café", "cafe\u0301", "B"]
    assert validate_metadata({"tags": tags})["tags"] == ["b", "a", "Café"]


def test_text_is_normalised_and_stripped() -> None:
    values = validate_metadata({"title": "  が  ", "category": "\u3000カメラ\u3000"})
    assert (values["title"], values["category"]) == ("が", "カメラ")


def test_a_description_may_have_lines_and_tabs() -> None:
    assert validate_metadata({"description": "one\r\ntwo\n\tthree\r\n"})["description"] == "one\ntwo\n\tthree"


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("character", ["\0", "\x1b", "\x7f", "\x85", "\ud83d", chr(0xDC00), "\r"])
def test_characters_that_cannot_be_stored_or_shown(field: str, character: str) -> None:
    assert refusal({field: f"a{character}b"}) == (422, "metadata_invalid_text", field)
    assert refusal({"tags": [f"a{character}b"]}) == (422, "metadata_invalid_text", "tags")


@pytest.mark.parametrize("field", ["title", "category"])
@pytest.mark.parametrize("character", ["\n", "\t", "\r\n"])
def test_one_line_fields_have_one_line(field: str, character: str) -> None:
    assert refusal({field: f"a{character}b"}) == (422, "metadata_invalid_text", field)


@pytest.mark.parametrize("field", TEXTS)
@pytest.mark.parametrize("value", [1, 0, 1.5, True, False, [], ["a"], {}, {"a": "b"}, float("nan"), 10**400])
def test_texts_of_a_wrong_type(field: str, value: Any) -> None:
    assert refusal({field: value}) == (422, "metadata_wrong_type", field)


@pytest.mark.parametrize(
    "value", ["a,b", 1, True, {}, {"0": "a"}, [1], [None], [["a"]], ["a", {}], [float("nan")]]
)
def test_tags_of_a_wrong_type(value: Any) -> None:
    assert refusal({"tags": value}) == (422, "metadata_wrong_type", "tags")


@pytest.mark.parametrize(
    "key", ["Title", "titel", "", " title", "id", "s3_key", "\ud800", "\0", "x" * 5_000, "__class__"]
)
def test_unknown_fields(key: str) -> None:
    status, code, field = refusal({"title": "fine", key: "x"})
    assert (status, code) == (422, "metadata_unknown_field")
    assert len(field) <= 64


@pytest.mark.parametrize(
    "text", [b'{"title": "\xe6\xa1\x9c"}', '{"title": "桜"}', b' \n{"title": "\\u685c"} ']
)
def test_json_as_bytes_and_text(text: bytes | str) -> None:
    assert parse_json_object(text) == {"title": "桜"}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"title=x",
        b"{'title': 'x'}",
        b'{"title": "x",}',
        b'{"title": "\xff"}',
        b'\xef\xbb\xbf{"title": "x"}',
        '{"title": "x"}'.encode("utf-16"),
        b'{"title": "a\nb"}',
        b'{"title": ' + b"9" * 5_000 + b"}",
        b'{"a":' * 13_000,
        b"[" * 60_000,
        b'{"title": "x"} {"title": "y"}',
    ],
)
def test_not_json(text: bytes) -> None:
    assert parse_refusal(text) == (400, "metadata_not_json")


@pytest.mark.parametrize("text", [b"null", b"[]", b'"title"', b"1", b"true", b"NaN", b"1e999"])
def test_json_but_no_object(text: bytes) -> None:
    assert parse_refusal(text) == (422, "metadata_not_an_object")


def test_json_that_is_too_long() -> None:
    padding = b" " * (MAX_JSON_BYTES - len(b"{}"))
    assert parse_json_object(b"{}" + padding) == {}
    assert parse_refusal(b"{}" + padding + b" ") == (422, "metadata_too_long")


def test_the_code_names_what_was_parsed() -> None:
    assert parse_refusal(b"[", "body") == (400, "body_not_json")
    assert parse_refusal(b"[]", "body") == (422, "body_not_an_object")


def test_whole_limits_fit_into_the_json() -> None:
    """The longest allowed values, all of four-byte UTF-8 characters, fit together."""
    values = {field: "🌸" * length for field, (length, *_) in TEXT_FIELDS.items()}
    tags = [f"{n:02}" + "🌸" * (MAX_TAG_LENGTH - 2) for n in range(MAX_TAGS)]
    text = json.dumps(values | {"tags": tags}, ensure_ascii=False).encode()
    assert len(validate_metadata(parse_json_object(text))["tags"]) == MAX_TAGS


@pytest.mark.parametrize("field", TEXTS)
def test_only_short_texts_are_composed(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Composition is quadratic in the length when there are marks to sort."""
    limit = TEXT_FIELDS[field].max_length
    normalize = unicodedata.normalize

    def compose(form: Any, text: str) -> str:
        assert len(text) <= limit * 4
        return normalize(form, text)

    monkeypatch.setattr(
        metadata, "unicodedata", SimpleNamespace(normalize=compose, category=unicodedata.category)
    )
    assert refusal({field: "a" + "\u0301\u0316" * limit * 2}) == (422, "metadata_too_long", field)
    # Four characters that compose to one, with surrounding spaces that do not count.
    text = " " * limit * 4 + "\u03b1\u0313\u0300\u0345" * limit + " "
    assert validate_metadata({field: text})[field] == "\u1f82" * limit
