"""The effects of results on a webhook."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from imageapi.webhooks.retries import MAX_RESULTS, backoff
from imageapi.webhooks.retries import advance as advanced

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def webhook(**values: Any) -> dict[str, Any]:
    row = {"sequence": 10, "wants_test": False, "attempts": 0, "next_attempt_at": NOW - timedelta(minutes=1)}
    return {**row, "failing_since": None, "paused_at": None, "pause_reason": None, "results": [], **values}


def result(sequence: int | None, error: str | None = None, **facts: Any) -> dict[str, Any]:
    values = {"status": None, "error": error, "retry_after": None, **facts}
    return {"id": f"chg_{sequence}", "type": "image.changed", "sequence": sequence, **values}


def advance(before: dict[str, Any], results: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    """The whole row afterwards."""
    return before | advanced(before, results, now)


def test_the_pause_doubles_up_to_an_hour() -> None:
    for attempts, longest in [(1, 5), (2, 10), (3, 20), (10, 2560), (11, 3600), (12, 3600), (100_000, 3600)]:
        pauses = {backoff(attempts) for _ in range(200)}
        assert len(pauses) > 100, "jitter"
        assert all(0.75 * longest <= pause <= longest for pause in pauses)


def test_failures_add_up_until_one_is_accepted() -> None:
    accepted = advance(webhook(), [result(11), result(15)], NOW)
    assert (accepted["sequence"], accepted["attempts"], accepted["failing_since"]) == (15, 0, None)
    assert accepted["next_attempt_at"] == NOW
    first = advance(webhook(), [result(11), result(15, "timeout")], NOW)
    assert (first["sequence"], first["attempts"], first["failing_since"]) == (11, 1, NOW)
    assert timedelta(seconds=3.75) <= first["next_attempt_at"] - NOW <= timedelta(seconds=5)
    since = NOW - timedelta(hours=3)
    failing = webhook(attempts=12, failing_since=since)
    again = advance(failing, [result(11, "timeout")], NOW)
    assert (again["attempts"], again["failing_since"], again["paused_at"]) == (13, since, None)
    assert again["next_attempt_at"] - NOW >= timedelta(minutes=45)
    another = advance(failing, [result(11), result(12, "timeout")], NOW)
    assert (another["attempts"], another["failing_since"]) == (1, NOW)
    over = advance(failing, [result(11)], NOW)
    assert (over["attempts"], over["failing_since"], over["next_attempt_at"]) == (0, None, NOW)


@pytest.mark.parametrize(("hours", "paused"), [(23.9, False), (24, True), (30, True)])
def test_a_day_of_failures_pauses(hours: float, paused: bool) -> None:
    failing = webhook(attempts=30, failing_since=NOW - timedelta(hours=hours))
    values = advance(failing, [result(11, "status_not_2xx")], NOW)
    assert values["paused_at"] == (NOW if paused else None)
    assert values["sequence"] == 10


def test_nothing_sent_changes_nothing() -> None:
    before = webhook(attempts=2, failing_since=NOW, results=[{"id": "a"}])
    assert advance(before, [], NOW) == before


def test_a_test_is_one_attempt_and_changes_wait_no_longer_if_it_is_accepted() -> None:
    later = NOW + timedelta(minutes=30)
    failing = webhook(wants_test=True, attempts=9, failing_since=NOW, next_attempt_at=later)
    refused = advance(failing, [result(None, "timeout")], NOW)
    assert refused == failing | {"wants_test": False, "results": refused["results"]}
    accepted = advance(failing, [result(None)], NOW)
    assert (accepted["next_attempt_at"], accepted["attempts"], accepted["wants_test"]) == (NOW, 9, False)


def test_the_last_results_are_kept_newest_first() -> None:
    before = webhook(results=[{"id": f"old_{number}"} for number in range(MAX_RESULTS)])
    kept = advance(before, [result(11), result(12)], NOW)["results"]
    assert [item["id"] for item in kept] == ["chg_12", "chg_11", *(f"old_{number}" for number in range(8))]
    assert "sequence" not in kept[0]


def test_retry_after_is_the_least_pause() -> None:
    for seconds, least, most in ((1800, 1800, 1800), (1, 3.75, 5), (None, 3.75, 5)):
        busy = result(11, "status_not_2xx", status=503, retry_after=seconds)
        wait = advance(webhook(), [busy], NOW)["next_attempt_at"] - NOW
        assert least <= wait.total_seconds() <= most


@pytest.mark.parametrize("sequence", [11, None])
def test_a_receiver_that_is_gone_is_left_alone(sequence: int | None) -> None:
    gone = result(sequence, "status_not_2xx", status=410)
    values = advance(webhook(), [gone], NOW)
    assert (values["paused_at"], values["pause_reason"]) == (NOW, "receiver_gone")
    before = webhook(paused_at=NOW - timedelta(days=1), pause_reason="failing")
    assert advance(before, [gone], NOW)["pause_reason"] == "failing"
