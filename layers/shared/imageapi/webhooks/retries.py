"""Decide from the results of deliveries when a webhook is tried again or paused. Pure."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

FIRST_SECONDS, MAX_SECONDS = 5, 3_600
"""The pause after the first failure, which doubles with each further one, and the longest pause."""
PAUSE_AFTER = timedelta(hours=24)
"""A webhook that has failed for this long is paused."""
MAX_RESULTS = 10
"""Latest results that a webhook keeps."""

Result = Mapping[str, Any]
"""``{"id", "type", "sequence", "sent_at", "status", "error", "retry_after", "duration_ms"}``; ``error`` is
None if accepted, ``retry_after`` the seconds that a busy receiver requests.
"""


def backoff(attempts: int) -> float:
    """Seconds until the next attempt after ``attempts`` failures: a random 75 to 100 % of the pause, so that
    webhooks that fail together are not retried together.
    """
    longest = float(min(MAX_SECONDS, FIRST_SECONDS << min(attempts - 1, 20)))
    return longest * random.uniform(0.75, 1)  # noqa: S311


def advance(webhook: Mapping[str, Any], results: Sequence[Result], now: datetime) -> dict[str, Any]:
    """The new values of a webhook's columns after an attempt.

    Args:
        webhook: its row.
        results: of the sent messages, in order; only the last may have failed. A test is sent separately.
    """
    kept = [{name: value for name, value in result.items() if name != "sequence"} for result in results]
    values: dict[str, Any] = {"results": [*reversed(kept), *webhook["results"]][:MAX_RESULTS]}
    if not results:
        return values
    last = results[-1]
    failed = last["error"] is not None
    if last["status"] == HTTPStatus.GONE and not webhook["paused_at"]:
        values |= {"paused_at": now, "pause_reason": "receiver_gone"}
    if last["sequence"] is None:
        # A test is one attempt without a change. If it is accepted, waiting changes are due at once.
        return values | {"wants_test": False} | ({} if failed else {"next_attempt_at": now})
    accepted = [result["sequence"] for result in results if result["error"] is None]
    values["sequence"] = max([webhook["sequence"], *accepted])
    if not failed:
        return values | {"attempts": 0, "failing_since": None, "next_attempt_at": now}
    # An accepted message resets the count of failures.
    attempts = 1 if accepted else webhook["attempts"] + 1
    since = now if accepted else webhook["failing_since"] or now
    if now - since >= PAUSE_AFTER:
        values = {"paused_at": now, "pause_reason": "failing"} | values
    pause = max(backoff(attempts), last["retry_after"] or 0)
    next_attempt_at = now + timedelta(seconds=pause)
    return values | {"attempts": attempts, "failing_since": since, "next_attempt_at": next_attempt_at}
