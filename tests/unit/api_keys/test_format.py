"""The text of API keys: what is not exactly one is refused without asking the database."""

import re

from hypothesis import given
from hypothesis import strategies as st
from imageapi.api_keys.format import PREFIX, hash_key, is_well_formed, make_key

KEYS = [make_key() for _ in range(50)]
key = st.sampled_from(KEYS)


def test_keys_differ_and_are_well_formed() -> None:
    assert len(set(KEYS)) == len(KEYS)
    for made in KEYS:
        assert is_well_formed(made)
        assert re.fullmatch(r"imgapi_[0-9A-Za-z]{49}", made)


def test_the_whole_key_is_hashed() -> None:
    assert len({hash_key(made) for made in KEYS}) == len(KEYS)
    assert len(hash_key(KEYS[0])) == 32
    assert hash_key(KEYS[0]) != hash_key(KEYS[0].removeprefix(PREFIX))


@given(key, st.integers(0, len(KEYS[0]) - 1), st.characters(exclude_categories=()))
def test_any_altered_character_is_refused(text: str, place: int, other: str) -> None:
    altered = text[:place] + other + text[place + 1 :]
    assert is_well_formed(altered) == (altered == text)


@given(key, st.integers(0, len(KEYS[0]) - 2))
def test_two_swapped_characters_are_refused(text: str, place: int) -> None:
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert is_well_formed(swapped) == (swapped == text)


@given(key, st.integers(0, len(KEYS[0]) - 1), st.text(max_size=3))
def test_a_longer_or_shorter_key_is_refused(text: str, place: int, more: str) -> None:
    assert not is_well_formed(text[:place])
    assert not is_well_formed(text[:place] + text[place + 1 :])
    assert is_well_formed(text[:place] + more + text[place:]) == (more == "")


@given(st.text())
def test_other_text_is_refused(text: str) -> None:
    assert not is_well_formed(text)
