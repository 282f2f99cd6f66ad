"""The table ``image_analysis``: Gemini's descriptions, and the queue of analyses.

An analysis is due when its lease has expired. A ``queued`` one then waits for an attempt; the function that
ran a ``running`` one has crashed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg2.extras

from imageapi.database import db

LEASE_SECONDS = 60
"""Lease of one analysis; longer than the function's Timeout."""
MAX_ATTEMPTS = 5
"""A queued analysis fails after this many attempts. Equal to the SQS queue's maxReceiveCount."""
BUDGET = "analyses"
"""The name in ``daily_budgets``."""
OVERDUE = "10 minutes"
"""A row that has been due for longer has lost its SQS message."""


def find(image_id: str) -> db.Row | None:
    """The row of an image; None if no analysis was ever requested."""
    return db.query_one("SELECT * FROM image_analysis WHERE image_id = %s", (image_id,))


def acquire_lease(image_id: str, statuses: Sequence[str]) -> db.Row | None:
    """Lease the analysis that a client requests; inserts the row if there is none.

    Args:
        statuses: an existing row must have one of these, or be running with an expired lease.

    Returns:
        The row; None if the image does not exist, its status differs, or another request holds the lease.
    """
    return db.query_one(
        """INSERT INTO image_analysis AS analysis (image_id, status, attempts, lease_until)
           SELECT id, 'running', 1, now() + make_interval(secs => %(lease)s)
           FROM image_metadata WHERE id = %(id)s FOR KEY SHARE
           ON CONFLICT (image_id) DO UPDATE
           SET status = 'running', attempts = analysis.attempts + 1,
               lease_token = nextval('lease_tokens'), lease_until = excluded.lease_until
           WHERE analysis.status = ANY(%(statuses)s)
              OR (analysis.status = 'running' AND analysis.lease_until < now())
           RETURNING analysis.*""",
        {"id": image_id, "lease": LEASE_SECONDS, "statuses": list(statuses)},
    )


def acquire_queued_lease(image_id: str) -> db.Row | None:
    """Lease a queued analysis; None if it is done, not due, or out of attempts."""
    return db.query_one(
        """UPDATE image_analysis
           SET status = 'running', attempts = attempts + 1, lease_token = nextval('lease_tokens'),
               lease_until = now() + make_interval(secs => %s)
           WHERE image_id = %s AND status IN ('queued', 'running') AND lease_until <= now()
             AND attempts < %s RETURNING *""",
        (LEASE_SECONDS, image_id, MAX_ATTEMPTS),
    )


def fail_exhausted(image_id: str, failure: str) -> None:
    """Fail an analysis whose last attempt was killed or timed out before it set a status."""
    db.query(
        """UPDATE image_analysis
           SET status = CASE WHEN analyzed_at IS NULL THEN 'failed' ELSE 'ready' END, failure = %s
           WHERE image_id = %s AND status IN ('queued', 'running') AND lease_until <= now()
             AND attempts >= %s""",
        (failure, image_id, MAX_ATTEMPTS),
    )


def release_lease(taken: db.Row, status: str, failure: str, *, wait_seconds: int, counted: bool) -> None:
    """Release a lease after an error.

    Args:
        status: ``queued`` to retry, ``ready`` if there is an older analysis, or ``failed``.
        wait_seconds: backoff before the next attempt.
        counted: whether this counts as an attempt.
    """
    db.query(
        """UPDATE image_analysis
           SET status = %s, failure = %s, attempts = attempts - %s,
               lease_until = now() + make_interval(secs => %s)
           WHERE image_id = %s AND lease_token = %s AND status = 'running'""",
        (status, failure, 0 if counted else 1, wait_seconds, taken["image_id"], taken["lease_token"]),
    )


def save(cursor: db.Cursor, taken: db.Row, description: Mapping[str, Any]) -> db.Row | None:
    """Store Gemini's description.

    Args:
        description: ``model``, ``caption``, ``tags``, ``text_seen``, ``safety``.

    Returns:
        The row; None if the lease was lost.
    """
    return db.query_one(
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


def find_text(cursor: db.Cursor, image_id: str) -> str:
    """The searchable text of an analysis: caption, tags and text seen; empty if there is none."""
    found = db.query_one(
        "SELECT caption, tags, text_seen FROM image_analysis WHERE image_id = %s", (image_id,), cursor
    )
    return join_text(**found) if found else ""


def join_text(caption: str | None, tags: Sequence[str] | None, text_seen: str | None) -> str:
    """The searchable text of an analysis; empty if there is none."""
    return " ".join(part for part in (caption, *(tags or ()), text_seen) if part)


def find_overdue(limit: int) -> list[str]:
    """Ids of images whose analysis has been due for longer than OVERDUE, oldest first."""
    found = db.query(
        """SELECT image_id FROM image_analysis
           WHERE status IN ('queued', 'running') AND lease_until < now() - %s::interval
           ORDER BY lease_until LIMIT %s""",
        (OVERDUE, limit),
    )
    return [row["image_id"] for row in found]
