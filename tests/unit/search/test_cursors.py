"""Cursors: a round trip, and anything else is refused."""

import base64
import json
from typing import Any
from uuid import UUID

import pytest
from imageapi.errors import InvalidRequestError
from imageapi.search.cursors import Position, decode_cursor, encode_cursor

ID = UUID("0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e")
POSITION = Position(0, None, ID)
FILTERS = {"category": "春", "tag": "桜"}
CURSOR = encode_cursor(POSITION, FILTERS)


def code_of(cursor: str, filters: dict[str, Any] | None = None) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        decode_cursor(cursor, FILTERS if filters is None else filters)
    assert caught.value.status == 400
    return caught.value.code


def forge(payload: object) -> str:
    """A cursor forged by a client: the right filters, then any JSON."""
    raw = base64.urlsafe_b64decode(CURSOR + "=" * (-len(CURSOR) % 4))
    fingerprint = raw[: raw.index(b"[")]
    return base64.urlsafe_b64encode(fingerprint + json.dumps(payload).encode()).decode().rstrip("=")


@pytest.mark.parametrize("key", [None, 0, -1, 2**62, "", "桜", "a\"b\\c'", "🌸" * 200])
@pytest.mark.parametrize("tier", [0, 1])
def test_round_trip(tier: int, key: str | int | None) -> None:
    position = Position(tier, key, ID)
    assert decode_cursor(encode_cursor(position, FILTERS), FILTERS) == position
    assert decode_cursor(encode_cursor(position, {}), {}) == position


def test_the_order_of_the_filters_does_not_matter() -> None:
    assert decode_cursor(CURSOR, dict(reversed(FILTERS.items()))) == POSITION


def test_a_cursor_needs_no_escaping_in_a_url() -> None:
    assert set(CURSOR) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "filters", [{}, {"category": "春"}, FILTERS | {"category": "秋"}, FILTERS | {"q": ""}]
)
def test_other_filters(filters: dict[str, str]) -> None:
    assert code_of(CURSOR, filters) == "cursor_mismatch"


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not base64!",
        "日本語",
        "\ud800",
        str(ID),
        CURSOR[:-1],
        CURSOR[:-4],
        CURSOR + "A",
        CURSOR + "AAAA",
        CURSOR + "=",
        CURSOR + "\n",
        " " + CURSOR,
        CURSOR[:8] + "." + CURSOR[8:],
        "A" * 100_000,
    ],
)
def test_not_a_cursor(cursor: str) -> None:
    assert code_of(cursor) == "cursor_invalid"


def test_a_forged_cursor_is_as_good_as_a_given_one() -> None:
    """Proves that the next test fails because of the payloads, not because of forge()."""
    assert decode_cursor(forge([1, 0, None, ID.hex]), FILTERS) == POSITION


@pytest.mark.parametrize(
    "payload",
    [
        [2, 0, None, ID.hex],
        [1, 2, None, ID.hex],
        [1, -1, None, ID.hex],
        [1, "0", None, ID.hex],
        [1, 0, 1.5, ID.hex],
        [1, 0, True, ID.hex],
        [1, 0, ["a"], ID.hex],
        [1, 0, {}, ID.hex],
        [1, 0, "a\0b", ID.hex],
        [1, 0, "\ud800", ID.hex],
        [1, 0, None, "no id"],
        [1, 0, None, 7],
        [1, 0, None, None],
        [1, 0, None],
        [1, 0, None, ID.hex, 1],
        {},
        "1234",
        None,
        7,
    ],
)
def test_forged_payloads(payload: object) -> None:
    assert code_of(forge(payload)) == "cursor_invalid"


def test_one_spelling_only() -> None:
    """Unused bits of the last character, or the other base64 alphabet, give no second cursor for a page."""
    position = Position(0, "???>>>~~~", ID)
    cursor = encode_cursor(position, FILTERS)
    spellings = {cursor[:-1] + c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"}
    spellings |= {cursor.replace("_", "/"), cursor.replace("-", "+")}
    for text in spellings - {cursor}:
        assert code_of(text) in ("cursor_invalid", "cursor_mismatch")
