"""Normalization and tokens: a text that contains a term has all of the term's tokens."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.model.ids import MAX_MILLISECONDS, smallest_id
from imageapi.model.metadata import EMPTY
from imageapi.model.text import normalise, normalise_tag
from imageapi.search import tokens as module
from imageapi.search.tokens import MAX_TIME_TOKENS, cover_time, hash_token, parse_terms, term_tokens

from tests.support.properties import check


def index(**values: Any) -> dict[str, Any]:
    """The search columns of an image."""
    row = {"id": "01a213ac-8913-7035-9534-471a50a6ba16", **EMPTY, "filename": "", "mime_type": "image/png"}
    return module.index_values(row | {"width": 10, "height": 10} | values)


def make_tokens(**values: Any) -> set[int]:
    return set(index(**values)["tokens"])


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        *(("Sunset", "sunset"), ("ＳＵＮ", "sun"), ("ｶﾞｷﾞｸﾞ", "ガギグ"), ("が か", "が か"), ("①②", "12")),
        *(("Café Ångström", "cafe angstrom"), ("STRASSE straße", "strasse strasse"), ("Ёлка", "елка")),
        *(("IMG_0001-final.JPG", "img 0001 final jpg"), ("東京タワーHD写真", "東京タワー hd 写真")),
        *(("हिन्दी", "हिन्दी"), ("ที่", "ที่"), ("한국어", "한국어"), ("★\ufe0f!", ""), ("!?…", "")),
        ("  a \t\n b  ", "a b"),
    ],
)
def test_one_spelling(text: str, normal: str) -> None:
    assert normalise(text) == normal


@check
@given(st.text())
def test_normalising_again_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert "\0" not in once


@pytest.mark.parametrize(
    ("query", "found", "not_found"),
    [
        *(("東", "東京", "大阪"), ("東京", "東京タワー", "京東"), ("京タ", "東京タワー", "京都タワー")),
        *(("nse", "sunset", "sunny set"), ("su", "the sunset", "consumer"), ("s", "a sunset", "mist")),
        *(("東京タワ", "東京タワーの夜景", "東京ツリーとタワ"), ("iphone写真", "my iPhone写真集", "iphone")),
        *(("2026年", "2026年の桜", "2025年の桜"), ("HD", "東京タワーHD写真", "東京タワー写真")),
        *(("4k", "夏の4K動画", "夏の動画"), ("हिन्दी", "हिन्दी कविता", "हद"), ("मी", "मीठा आम", "मकान")),
        ("ที่", "ที่นี่", "ทอง"),
    ],
)
def test_terms(query: str, found: str, not_found: str) -> None:
    terms = parse_terms(query)
    for text, expected in ((found, True), (not_found, False)):
        assert all(term.needle in index(title=text)["search_text"] for term in terms) is expected
    assert set(term_tokens(terms, strong=True)) <= make_tokens(title=found)


words = st.text(st.sampled_from("abcdeéßｱ東京夜景の한국7_- "), max_size=12)


@check
@given(words, words, words, st.sampled_from(["title", "description", "filename"]))
def test_what_contains_a_term_has_its_tokens(before: str, inside: str, after: str, field: str) -> None:
    """The index never hides a match."""
    found = index(**{field: before + inside + after})
    text, tokens = found["search_text"], set(found["tokens"])
    for term in parse_terms(inside):
        assert term.needle not in text or set(term_tokens([term], strong=False)) <= tokens
        in_strong = term.needle in text[: found["strong_length"]]
        assert not in_strong or set(term_tokens([term], strong=True)) <= tokens


def test_title_and_tags_count_more() -> None:
    found = index(title="A", tags=["b"], filename="c", description="d")
    assert (found["search_text"], found["strong_length"]) == (" a b c d", len(" a b"))


def test_tags_are_compared_like_words() -> None:
    assert normalise_tag("Ｎight") == normalise_tag(" NIGHT ") == "night"
    assert len({normalise_tag(tag) for tag in ("C", "C++", "C#", ".c", "!!", "★")}) == 6


@pytest.mark.parametrize(("side", "power"), [(63, 64), (64, 128), (100, 128), (1000, 1024), (32_767, 32_768)])
def test_a_size_has_the_token_of_each_smaller_one(side: int, power: int) -> None:
    tokens = make_tokens(width=side)
    assert all(set(module.side_tokens("w", minimum)) <= tokens for minimum in range(1, side + 1, 7))
    for side_name in "wh":
        assert not set(module.side_tokens(side_name, power)) <= tokens


def test_tokens_are_small_numbers_without_repeats() -> None:
    tokens = index(title="aaaa aaaa 東東東")["tokens"]
    assert tokens == sorted(set(tokens))
    assert all(-(2**31) <= token < 2**31 for token in tokens)


MINUTE, DAY = 60_000, 86_400_000


@check
@given(st.integers(0, MAX_MILLISECONDS - 1), st.integers(1, 30 * 365 * DAY), st.data())
def test_a_range_of_time_is_covered(start: int, length: int, data: st.DataObject) -> None:
    """Every image in the range has one of these few tokens, and no image outside it does."""
    length = min(length, MAX_MILLISECONDS - start)
    covered = cover_time(start, start + length)
    assert covered.tokens
    assert covered.start <= start < start + length <= covered.end
    assert len(set(covered.tokens)) <= MAX_TIME_TOKENS
    for inside in (covered.start, covered.end - 1, data.draw(st.integers(start, start + length - 1))):
        assert set(covered.tokens) & make_tokens(id=str(smallest_id(inside)))
    for outside in (covered.start - 1, covered.end):
        if 0 <= outside < MAX_MILLISECONDS:
            assert not set(covered.tokens) & make_tokens(id=str(smallest_id(outside)))


@pytest.mark.parametrize(
    ("length", "shift"),
    [(1, 16), (15 * MINUTE, 16), (20 * MINUTE, 20), (DAY, 24), (20 * DAY, 28), (700 * DAY, 32)],
)
def test_a_range_of_time_has_the_shortest_tokens_that_suffice(length: int, shift: int) -> None:
    covered = cover_time(0, length)
    assert covered.tokens
    assert covered.tokens[0] == hash_token(f"d{shift}:0")
    assert covered.end == -(-length // (1 << shift)) << shift


def test_a_range_of_time_that_is_too_long_has_no_tokens() -> None:
    longest = MAX_TIME_TOKENS << module.TIME_SHIFTS[-1]
    assert cover_time(0, longest).tokens
    assert cover_time(0, longest + 1) == (0, longest + 1, None)


def test_one_image_in_so_many_is_in_the_sample() -> None:
    ids = [str(UUID(int=smallest_id(DAY).int + end)) for end in range(2 * module.SAMPLED_OF)]
    sampled = [image_id for image_id in ids if hash_token(module.SAMPLE) in make_tokens(id=image_id)]
    assert sampled == [ids[0], ids[module.SAMPLED_OF]]
