"""Properties of any metadata, cursor and link: accepted values can be stored, all others are refused."""

import base64
import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.delivery.links import Validity, expires_at, sign_link, verify_link
from imageapi.errors import AppError, ForbiddenError
from imageapi.http.json_body import parse_json_object
from imageapi.model.metadata import (
    FIELDS,
    MAX_TAGS,
    TEXT_FIELDS,
    validate_metadata,
)
from imageapi.search.cursors import Position, decode_cursor, encode_cursor

from tests.unit.http.test_forms_properties import any_text, attempt, check, is_storable, utf8_text

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(any_text, inner, max_size=5),
    max_leaves=20,
)
short_text = utf8_text.map(lambda text: text[:60])
good_objects = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS[:3], short_text))
likely_objects = st.dictionaries(
    st.sampled_from(FIELDS),
    any_text | short_text | json_values | st.lists(any_text | short_text, max_size=40),
)


def check_metadata(text: bytes | str) -> None:
    """Clean values or a refusal. Clean values can be stored, and cleaning is idempotent."""
    clean = attempt(lambda: validate_metadata(parse_json_object(text)))
    if isinstance(clean, AppError):
        return
    assert set(clean) == set(FIELDS)
    tags = clean["tags"]
    assert all(is_storable(text) for text in (*tags, *(clean[field] for field in TEXT_FIELDS)))
    assert all(len(clean[name]) <= field.max_length for name, field in TEXT_FIELDS.items())
    assert len(tags) <= MAX_TAGS
    assert len(set(tags) - {""}) == len(tags)
    assert validate_metadata(clean) == clean


@check
@given(value=json_values | likely_objects | good_objects)
def test_any_json(value: Any) -> None:
    check_metadata(json.dumps(value))
    check_metadata(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@check
@given(text=st.one_of(st.binary(max_size=200), any_text, st.text('{}[]":,\\u0dtrue1e9 ', max_size=60)))
def test_any_text_for_json(text: bytes | str) -> None:
    check_metadata(text)


# Cursors and links

filter_sets = st.dictionaries(
    any_text, st.none() | any_text | st.integers() | st.lists(any_text, max_size=3), max_size=4
)


positions = st.builds(
    Position,
    st.integers(0, 1),
    st.none() | st.integers(0, 2**62) | utf8_text.map(lambda text: text.replace("\0", "")),
    st.uuids(),
)


@check
@given(position=positions, filters=filter_sets)
def test_cursors_round_trip(position: Position, filters: dict[str, Any]) -> None:
    assert decode_cursor(encode_cursor(position, filters), filters) == position


def check_cursor(text: str, filters: dict[str, Any]) -> None:
    """A position usable in a query, or one of the two cursor errors."""
    position = attempt(decode_cursor, text, filters)
    if isinstance(position, AppError):
        assert position.code in ("cursor_invalid", "cursor_mismatch")
    else:
        assert isinstance(position.id, UUID)
        assert position.key is None or isinstance(position.key, int) or is_storable(position.key)


def encode_base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@check
@given(text=any_text | st.text("AZaz09-_=+/", max_size=40) | st.binary(max_size=40).map(encode_base64))
def test_any_text_as_a_cursor(text: str) -> None:
    check_cursor(text, {})


@check
@given(position=positions, filters=filter_sets, place=st.integers(0, 80), character=st.characters())
def test_an_altered_cursor(position: Position, filters: dict[str, Any], place: int, character: str) -> None:
    cursor = encode_cursor(position, filters)
    check_cursor(cursor[:place] + character + cursor[place + 1 :], filters)


json_parts = st.integers(0, 2) | st.uuids().map(str) | json_values


@check
@given(payload=st.lists(json_parts, min_size=3, max_size=5))
def test_a_forged_cursor(payload: list[Any]) -> None:
    given_out = encode_cursor(Position(0, None, UUID(int=0)), {})
    fingerprint = base64.urlsafe_b64decode(given_out + "==")[:8]
    check_cursor(encode_base64(fingerprint + json.dumps(payload).encode()), {})


PATH_TEXT = st.text(st.characters(exclude_categories=["Cc"]), min_size=1, max_size=40)
KEY_LISTS = st.lists(any_text.filter(bool), min_size=1, max_size=3, unique=True)


VERSIONS = st.integers(0, 10**12 - 1).map(lambda version: Validity(version=version))


@check
@given(PATH_TEXT, st.floats(0, 1e11), st.integers(60, 10**6), st.none() | VERSIONS, KEY_LISTS, st.data())
def test_links(
    variant: str, now: float, lifetime: int, term: Validity | None, keys: list[str], other: st.DataObject
) -> None:
    """A link is valid only as signed, under any of the keys."""
    term = term or Validity(expires=expires_at(now, lifetime))
    link = sign_link("an-id", variant, term, keys=keys[-1:])
    path, _, text = link.rpartition("?")
    query = dict(part.split("=", 1) for part in text.split("&"))
    assert path == f"/images/an-id/{variant}"

    def verify(image_id: str, name: str, query: dict[str, str]) -> Validity:
        return verify_link(image_id, [name], query, now=now, lifetime=lifetime, keys=keys)

    assert verify("an-id", variant, query) == term
    assert term.expires is None or lifetime <= term.expires - int(now) <= lifetime * 1.5
    altered = other.draw(PATH_TEXT.filter(lambda text: text not in {"an-id", variant, *query.values()}))
    changes = [(altered, variant, query), ("an-id", altered, query)]
    changes += [("an-id", variant, query | {name: altered}) for name in query]
    with pytest.raises(ForbiddenError):
        verify(*other.draw(st.sampled_from(changes)))
