"""Cursors: a round trip, and anything else is refused."""

import base64
import json
import string
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.errors import AppError
from imageapi.search.cursors import Position, decode_cursor, encode_cursor

from tests.support.properties import any_text, attempt, check, is_storable, utf8_text

ID = UUID("0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e")
FILTERS = {"category": "春", "tag": "桜"}
CURSOR = encode_cursor(Position(0, None, ID), FILTERS)
IN_URLS = string.ascii_letters + string.digits + "-_"

filter_values = st.none() | any_text | st.integers() | st.lists(any_text, max_size=3)
filter_sets = st.dictionaries(any_text, filter_values, max_size=4)
keys = st.none() | st.integers(-1, 2**62) | utf8_text.map(lambda text: text.replace("\0", ""))
positions = st.builds(Position, st.integers(0, 1), keys, st.uuids())


@check
@given(positions, filter_sets)
def test_round_trip(position: Position, filters: dict[str, Any]) -> None:
    cursor = encode_cursor(position, filters)
    assert set(cursor) <= set(IN_URLS)
    assert decode_cursor(cursor, dict(reversed(filters.items()))) == position


def code_of(cursor: str, filters: dict[str, Any] = FILTERS) -> str:
    """The refusal of a cursor; empty if it is a position that a query can use."""
    position = attempt(decode_cursor, cursor, filters)
    if isinstance(position, AppError):
        assert position.status == 400
        return position.code
    assert isinstance(position.id, UUID)
    assert position.key is None or isinstance(position.key, int) or is_storable(position.key)
    return ""


def test_other_filters() -> None:
    for filters in ({}, {"category": "春"}, FILTERS | {"category": "秋"}, FILTERS | {"q": ""}):
        assert code_of(CURSOR, filters) == "cursor_mismatch", filters


def test_not_a_cursor() -> None:
    for cursor in (
        *("", "x", "not base64!", "日本語", "\ud800", str(ID), CURSOR[:-1], CURSOR[:-4], CURSOR + "A"),
        *(CURSOR + "AAAA", CURSOR + "=", CURSOR + "\n", " " + CURSOR, CURSOR[:8] + "." + CURSOR[8:]),
        "A" * 100_000,
    ):
        assert code_of(cursor) == "cursor_invalid", cursor


def forge(payload: object) -> str:
    """A cursor forged by a client: the right filters, then any JSON."""
    raw = base64.urlsafe_b64decode(CURSOR + "=" * (-len(CURSOR) % 4))
    fingerprint = raw[: raw.index(b"[")]
    return base64.urlsafe_b64encode(fingerprint + json.dumps(payload).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "payload",
    [
        *([2, 0, None, ID.hex], [1, 2, None, ID.hex], [1, -1, None, ID.hex], [1, "0", None, ID.hex]),
        *([True, 0, None, ID.hex], [1, False, None, ID.hex], [1, 0, 1.5, ID.hex], [1, 0, True, ID.hex]),
        *([1, 0, ["a"], ID.hex], [1, 0, {}, ID.hex], [1, 0, "a\0b", ID.hex], [1, 0, "\ud800", ID.hex]),
        *([1, 0, None, "no id"], [1, 0, None, 7], [1, 0, None, None], [1, 0, None], [1, 0, None, ID.hex, 1]),
        *({}, "1234", None, 7),
    ],
)
def test_forged_payloads(payload: object) -> None:
    assert code_of(forge([1, 0, None, ID.hex])) == "", "a forged cursor is as good as a given one"
    assert code_of(forge(payload)) == "cursor_invalid"


json_parts = st.integers(0, 2) | st.uuids().map(str) | st.none() | st.booleans() | st.floats() | any_text
altered = st.builds(lambda at, new: CURSOR[:at] + new + CURSOR[at + 1 :], st.integers(0, 80), st.characters())


forged = st.lists(json_parts, max_size=5).map(forge)


@check
@given(any_text | altered | st.text(IN_URLS + "=+/", max_size=40) | forged)
def test_anything_is_a_position_or_refused(cursor: str) -> None:
    assert code_of(cursor) in ("", "cursor_invalid", "cursor_mismatch")


def test_one_spelling_only() -> None:
    """Unused bits of the last character, or the other base64 alphabet, give no second cursor for a page."""
    cursor = encode_cursor(Position(0, "???>>>~~~", ID), FILTERS)
    spellings = {cursor[:-1] + character for character in IN_URLS}
    spellings |= {cursor.replace("_", "/"), cursor.replace("-", "+")}
    for text in spellings - {cursor}:
        assert code_of(text) in ("cursor_invalid", "cursor_mismatch")
