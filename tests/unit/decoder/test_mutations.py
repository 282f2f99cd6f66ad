"""Damaged files of each format are decoded or refused; ``python -m tests.mutations`` tries more."""

import pytest
from imageapi.model.image_formats import FORMATS

from tests.mutations import decode, mutations


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_files_are_decoded_or_refused(format: str) -> None:
    outcomes = [decode(data) for _, data in mutations(format, 20, seed=1)]
    assert [outcome for outcome in outcomes if outcome.startswith("wrong")] == []
    assert len(set(outcomes)) > 1
