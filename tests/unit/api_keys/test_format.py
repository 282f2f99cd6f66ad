"""The text of API keys: a malformed key is refused without a query."""

import re

from hypothesis import given
from hypothesis import strategies as st
from imageapi.api_keys.format import PREFIX, hash_key, is_well_formed, make_key

KEYS = [make_key() for _ in range(50)]
key = st.sampled_from(KEYS)
place = st.integers(0, len(KEYS[0]) - 1)


def test_keys_differ_are_well_formed_and_are_hashed_as_a_whole() -> None:
    for made in KEYS:
        assert is_well_formed(made)
        assert re.fullmatch(r"imgapi_[0-9A-Za-z]{49}", made)
    hashes = {hash_key(text) for made in KEYS for text in (made, made.removeprefix(PREFIX))}
    assert len(hashes) == 2 * len(KEYS)
    assert {len(digest) for digest in hashes} == {32}


@given(key, place, place, st.text(st.characters(exclude_categories=()), max_size=3))
def test_any_altered_longer_or_shorter_key_is_refused(text: str, start: int, end: int, other: str) -> None:
    altered = text[:start] + other + text[end:]
    assert is_well_formed(altered) == (altered == text)


@given(key, st.integers(0, len(KEYS[0]) - 2))
def test_two_swapped_characters_are_refused(text: str, place: int) -> None:
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert is_well_formed(swapped) == (swapped == text)


@given(st.text())
def test_other_text_is_refused(text: str) -> None:
    assert not is_well_formed(text)
