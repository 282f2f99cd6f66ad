"""The parts of finding a page that need no database."""

from typing import Any

import pytest
from imageapi import db, pages


def test_the_estimated_number_of_rows_is_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([7, 8])
    monkeypatch.setattr(pages, "_estimate", None)

    def query(*_: Any) -> list[db.Row]:
        return [{"n": next(answers)}]

    monkeypatch.setattr(db, "query", query)
    assert [pages._estimated_rows() for _ in range(3)] == [7, 7, 7]
    monkeypatch.setattr(pages, "ESTIMATE_MAX_AGE", -1.0)
    assert pages._estimated_rows() == 8
