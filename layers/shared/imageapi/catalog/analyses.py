"""The table ``image_analysis``: what Gemini says of images, and the queue of those that wait for that.

An image is due for analysis when its lease has expired: with status ``queued`` for the first time, with
``running`` because the function that held the lease has died.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg2.extras

from imageapi.database import db

LEASE_SECONDS = 60
"""How long a request has for an analysis; longer than the function's Timeout."""
MAX_ATTEMPTS = 5
"""A queued analysis fails after this many attempts. Equal to the SQS queue's maxReceiveCount."""
OVERDUE = "10 minutes"
"""A row that has waited longer than this has lost its SQS message."""

# The row of the day is locked, so no call is missed.
_COUNT_CALL = """
    INSERT INTO analysis_budget AS budget (day, calls) VALUES ((now() AT TIME ZONE 'UTC')::date, 1)
    ON CONFLICT (day) DO UPDATE SET calls = budget.calls + 1 WHERE budget.calls < %s
    RETURNING calls"""


def find(image_id: str) -> db.Row | None:
    """The row of an image; None when no analysis was ever asked for."""
    found = db.query("SELECT * FROM image_analysis WHERE image_id = %s", (image_id,))
    return found[0] if found else None


def acquire_lease(image_id: str, statuses: Sequence[str]) -> db.Row | None:
    """Take the lease of an analysis that a client asks for, now; a row is made when there is none.

    Args:
        statuses: only when the row has one of these, or is running and its lease has run out.

    Returns:
        The row; None when another request holds the lease, or there is no such image.
    """
    taken = db.query(
        """INSERT INTO image_analysis AS analysis (image_id, status, attempts, lease_token, lease_until)
           SELECT id, 'running', 1, 1, now() + make_interval(secs => %(lease)s)
           FROM image_metadata WHERE id = %(id)s FOR KEY SHARE
           ON CONFLICT (image_id) DO UPDATE
           SET status = 'running', attempts = analysis.attempts + 1,
               lease_token = analysis.lease_token + 1, lease_until = excluded.lease_until
           WHERE analysis.status = ANY(%(statuses)s)
              OR (analysis.status = 'running' AND analysis.lease_until < now())
           RETURNING analysis.*""",
        {"id": image_id, "lease": LEASE_SECONDS, "statuses": list(statuses)},
    )
    return taken[0] if taken else None


def acquire_queued_lease(image_id: str) -> db.Row | None:
    """Take the lease of an analysis that waits; None when it is done, or not due, or tried too often."""
    taken = db.query(
        """UPDATE image_analysis
           SET status = 'running', attempts = attempts + 1, lease_token = lease_token + 1,
               lease_until = now() + make_interval(secs => %s)
           WHERE image_id = %s AND status IN ('queued', 'running') AND lease_until <= now()
             AND attempts < %s RETURNING *""",
        (LEASE_SECONDS, image_id, MAX_ATTEMPTS),
    )
    return taken[0] if taken else None


def fail_exhausted(image_id: str, failure: str) -> None:
    """Let an analysis fail whose last attempt was killed or timed out, and so has set no status."""
    db.query(
        """UPDATE image_analysis
           SET status = CASE WHEN analyzed_at IS NULL THEN 'failed' ELSE 'ready' END, failure = %s
           WHERE image_id = %s AND status IN ('queued', 'running') AND lease_until <= now()
             AND attempts >= %s""",
        (failure, image_id, MAX_ATTEMPTS),
    )


def release_lease(taken: db.Row, status: str, failure: str, *, wait_seconds: int, counted: bool) -> None:
    """Return a lease after an error.

    Args:
        status: ``queued`` to be tried again, ``ready`` when there is an older analysis, or ``failed``.
        wait_seconds: how long it waits before it is tried again.
        counted: whether that was an attempt.
    """
    db.query(
        """UPDATE image_analysis
           SET status = %s, failure = %s, attempts = attempts - %s,
               lease_until = now() + make_interval(secs => %s)
           WHERE image_id = %s AND lease_token = %s AND status = 'running'""",
        (status, failure, 0 if counted else 1, wait_seconds, taken["image_id"], taken["lease_token"]),
    )


def save(cursor: db.Cursor, taken: db.Row, description: Mapping[str, Any]) -> db.Row | None:
    """Store what Gemini said.

    Args:
        description: ``model``, ``caption``, ``tags``, ``text_seen``, ``safety``.

    Returns:
        The row; None when the lease was lost.
    """
    saved = db.query(
        """UPDATE image_analysis
           SET status = 'ready', failure = NULL, analyzed_at = now(), attempts = 0, model = %(model)s,
               caption = %(caption)s, tags = %(tags)s, text_seen = %(text_seen)s, safety = %(safety)s
           WHERE image_id = %(image_id)s AND lease_token = %(lease_token)s RETURNING *""",
        {
            **description,
            "tags": list(description["tags"]),
            "safety": psycopg2.extras.Json(description["safety"]),
            "image_id": taken["image_id"],
            "lease_token": taken["lease_token"],
        },
        cursor,
    )
    return saved[0] if saved else None


def find_text(cursor: db.Cursor, image_id: str) -> str:
    """The text of an analysis that a search looks through: caption, tags and text seen; empty without an
    analysis.
    """
    found = db.query(
        "SELECT caption, tags, text_seen FROM image_analysis WHERE image_id = %s", (image_id,), cursor
    )
    if not found:
        return ""
    return " ".join(part for part in (found[0]["caption"], *found[0]["tags"], found[0]["text_seen"]) if part)


def find_overdue(limit: int) -> list[str]:
    """Ids of images whose analysis has waited for longer than OVERDUE, the oldest first."""
    found = db.query(
        """SELECT image_id FROM image_analysis
           WHERE status IN ('queued', 'running') AND lease_until < now() - %s::interval
           ORDER BY lease_until LIMIT %s""",
        (OVERDUE, limit),
    )
    return [row["image_id"] for row in found]


def count_call(budget: int) -> bool:
    """Count one analysis of today (UTC); False when the budget is spent."""
    return bool(db.query(_COUNT_CALL, (budget,)))


def read_budget() -> db.Row:
    """``calls`` of today (UTC), and the ``seconds`` until tomorrow."""
    return db.query(
        """SELECT coalesce((SELECT calls FROM analysis_budget
                            WHERE day = (now() AT TIME ZONE 'UTC')::date), 0) AS calls,
                  ceil(extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day'
                                          - (now() AT TIME ZONE 'UTC')))::int AS seconds"""
    )[0]
