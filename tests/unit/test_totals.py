"""What is known of the whole table, without a database."""

from typing import Any

import pytest
from imageapi import db, totals


@pytest.fixture
def statistics(monkeypatch: pytest.MonkeyPatch) -> list[db.Row]:
    """What PostgreSQL answers, one after the other."""
    answers: list[db.Row] = []
    monkeypatch.setattr(totals, "_statistics", None)

    def query(*_: Any) -> list[db.Row]:
        return [answers.pop(0)]

    monkeypatch.setattr(db, "query", query)
    return answers


def test_statistics_are_kept_for_a_while(statistics: list[db.Row], monkeypatch: pytest.MonkeyPatch) -> None:
    statistics += [{"rows": rows, "tokens": None, "shares": None} for rows in (7, 8)]
    assert [totals.estimate_rows() for _ in range(3)] == [7, 7, 7]
    monkeypatch.setattr(totals, "STATISTICS_MAX_AGE", -1.0)
    assert totals.estimate_rows() == 8


def test_as_many_as_have_the_rarest_token(statistics: list[db.Row]) -> None:
    # Behind the frequencies come the smallest and the largest of them.
    statistics.append({"rows": 1_000, "tokens": [5, 6, 7], "shares": [0.5, 0.25, 0.01, 0.01, 0.5, 0.0]})
    assert totals.estimate_share([5]) == 0.5
    assert totals.estimate_share([5, 6]) == 0.25
    assert totals.estimate_share([5, 99]) == 0.01
    assert totals.estimate_share([]) == 1.0


def test_a_table_without_statistics(statistics: list[db.Row]) -> None:
    statistics.append({"rows": -1, "tokens": None, "shares": None})
    assert (totals.estimate_rows(), totals.estimate_share([5])) == (1, 1.0)
