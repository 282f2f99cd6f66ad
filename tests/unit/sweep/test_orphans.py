"""How many originals without a row a sweep may remove; the position of a key among the rows of variants."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.sweep.compare_stores import _first_id
from imageapi.sweep.orphans import count_removable

IDS = st.integers(0, 2**128 - 1).map(lambda number: str(UUID(int=number)))


@pytest.mark.parametrize(
    ("originals", "removable"),
    [
        *((0, 1), (1, 1), (3, 1), (5, 1), (19, 1), (20, 2), (99, 9), (100, 10), (10_999, 10)),
        *((11_000, 11), (50_000, 50), (100_000, 100), (1_000_000, 100), (10**9, 100)),
    ],
)
def test_what_may_be_removed_is_one_or_a_small_share_or_few(originals: int, removable: int) -> None:
    assert count_removable(originals) == removable


@given(st.one_of(st.text("0123456789abcdef-~gRa", max_size=40), IDS), IDS)
def test_the_first_id_parts_those_before_a_text_from_the_others(text: str, image_id: str) -> None:
    first = _first_id(f"variants/{text}")

    if image_id < text:
        assert image_id <= first
    else:
        assert first <= image_id


@given(IDS)
def test_the_first_id_from_an_id_is_itself(image_id: str) -> None:
    assert _first_id(f"variants/{image_id}") == image_id
