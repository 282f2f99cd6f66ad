"""The table ``webhooks``: each row is the queue of one webhook.

A webhook is due when it has a test to send, or, unless it is paused, when its next attempt is and there are
changes after its ``sequence``. Its deliveries are sent under a lease; whoever has lost it changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg2.extras

from imageapi.catalog import changes
from imageapi.database import db
from imageapi.model.change_types import ALL_TYPES

LEASE_SECONDS = 60
"""Lease of the deliveries of one take; longer than sending them takes."""
WINDOW = 10_000
"""Changes that one statement looks through."""
COLUMNS = """id, url, types, secret, sequence, wants_test, attempts, next_attempt_at, failing_since,
    paused_at, lease_token, results, created_at"""

IS_DUE = f"""lease_until <= now() AND (wants_test OR (paused_at IS NULL AND next_attempt_at <= now()
    AND ({changes.ARE_UNNUMBERED} OR sequence < (SELECT max(sequence) FROM changes))))"""
"""The runner polls this condition too."""


def insert(values: Mapping[str, Any], limit: int) -> db.Row | None:
    """Insert a webhook, which follows the changes from now on; None if there are ``limit`` already.

    Args:
        values: ``id``, ``url``, ``types``, ``secret``.
    """

    changes.number_all()

    def work(cursor: db.Cursor) -> db.Row | None:
        # Inserts take turns, so that concurrent ones count each other.
        db.query("LOCK TABLE webhooks IN SHARE ROW EXCLUSIVE MODE", (), cursor)
        rows = db.query(
            f"""INSERT INTO webhooks (id, url, types, secret, sequence)
                SELECT %(id)s, %(url)s, %(types)s, %(secret)s,
                       coalesce((SELECT max(sequence) FROM changes), 0)
                WHERE (SELECT count(*) FROM webhooks) < %(limit)s RETURNING {COLUMNS}""",
            {**values, "types": list(values["types"]), "limit": limit},
            cursor,
        )
        return rows[0] if rows else None

    return db.transaction(work)


def list_all() -> list[db.Row]:
    """All webhooks, newest first."""
    return db.query(f"SELECT {COLUMNS} FROM webhooks ORDER BY id DESC")


def find(webhook_id: str) -> db.Row | None:
    """The webhook with this id."""
    rows = db.query(f"SELECT {COLUMNS} FROM webhooks WHERE id = %s", (webhook_id,))
    return rows[0] if rows else None


def delete(webhook_id: str) -> bool:
    """Delete a webhook; False if there is none. A delivery on its way is not recalled."""
    return bool(db.query("DELETE FROM webhooks WHERE id = %s RETURNING id", (webhook_id,)))


def request_test(webhook_id: str) -> db.Row | None:
    """Have a test sent, also while the webhook is paused or waits; None if there is no such webhook."""
    rows = db.query(f"UPDATE webhooks SET wants_test = true WHERE id = %s RETURNING {COLUMNS}", (webhook_id,))
    return rows[0] if rows else None


def resume(webhook_id: str) -> db.Row | None:
    """Have a paused webhook follow the changes from now on; None if there is none, or it is not paused."""
    changes.number_all()
    rows = db.query(
        f"""UPDATE webhooks SET paused_at = NULL, failing_since = NULL, attempts = 0, next_attempt_at = now(),
                sequence = greatest(sequence, coalesce((SELECT max(sequence) FROM changes), 0))
            WHERE id = %s AND paused_at IS NOT NULL RETURNING {COLUMNS}""",
        (webhook_id,),
    )
    return rows[0] if rows else None


def acquire_leases(limit: int) -> list[db.Row]:
    """Lease up to ``limit`` due webhooks, those that have waited longest first."""
    changes.number_all()
    return db.query(
        f"""UPDATE webhooks SET lease_token = nextval('lease_tokens'),
                lease_until = now() + make_interval(secs => %s)
            WHERE id IN (SELECT id FROM webhooks WHERE {IS_DUE}
                         ORDER BY next_attempt_at, id LIMIT %s FOR UPDATE SKIP LOCKED)
            RETURNING {COLUMNS}""",
        (LEASE_SECONDS, limit),
    )


def release_lease(webhook: db.Row) -> None:
    """Release a lease under which nothing was sent."""
    db.query(
        "UPDATE webhooks SET lease_until = '-infinity' WHERE id = %s AND lease_token = %s",
        (webhook["id"], webhook["lease_token"]),
    )


def find_changes(after: int, types: Sequence[str], limit: int) -> tuple[int | None, list[db.Row]]:
    """The first changes of these types after a sequence number, among the next WINDOW changes.

    Returns:
        The last sequence number looked at, None if there is none after ``after``; and the changes, in order.
    """
    (seen,) = db.query(
        """SELECT max(sequence) AS last FROM
           (SELECT sequence FROM changes WHERE sequence > %s ORDER BY sequence LIMIT %s) AS seen""",
        (after, WINDOW),
    )
    if seen["last"] is None:
        return None, []
    rows = db.query(
        f"""SELECT {changes.COLUMNS} FROM changes
           WHERE sequence > %s AND sequence <= %s AND (%s OR type = ANY(%s)) ORDER BY sequence LIMIT %s""",
        (after, seen["last"], ALL_TYPES in types, list(types), limit),
    )
    return seen["last"], rows


def skip(webhook: db.Row, sequence: int) -> None:
    """Move a leased webhook past changes that it does not want."""
    db.query(
        "UPDATE webhooks SET sequence = greatest(sequence, %s) WHERE id = %s AND lease_token = %s",
        (sequence, webhook["id"], webhook["lease_token"]),
    )


def lock_leased(cursor: db.Cursor, webhook_id: str, lease_token: int) -> db.Row | None:
    """Lock a webhook, and read it with the database's time ``now``; None if it is gone, or the lease was lost
    or released.
    """
    rows = db.query(
        f"""SELECT {COLUMNS}, now() AS now FROM webhooks
            WHERE id = %s AND lease_token = %s AND lease_until > '-infinity' FOR UPDATE""",
        (webhook_id, lease_token),
        cursor,
    )
    return rows[0] if rows else None


def save(cursor: db.Cursor, webhook_id: str, values: Mapping[str, Any]) -> None:
    """Store a locked webhook's progress, as webhooks.progress.advance() makes it, and release its lease."""
    db.query(
        """UPDATE webhooks SET sequence = %(sequence)s, wants_test = %(wants_test)s, attempts = %(attempts)s,
               next_attempt_at = %(next_attempt_at)s, failing_since = %(failing_since)s,
               paused_at = %(paused_at)s, results = %(results)s, lease_until = '-infinity'
           WHERE id = %(id)s""",
        {**values, "results": psycopg2.extras.Json(values["results"]), "id": webhook_id},
        cursor,
    )
