"""The table ``webhooks``: each row is the queue of one webhook.

A webhook has work if its key is valid and either a test was requested, or it is not paused and there are
changes after its ``sequence``. Deliveries need the lease; a process that has lost it changes nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg2.extras

from imageapi.actor import ROOT
from imageapi.catalog import api_keys, changes
from imageapi.catalog.resources import ResourceTable
from imageapi.database import db
from imageapi.model.change_types import ALL_TYPES

LEASE_SECONDS = 60
"""Lease of the deliveries of one run; longer than sending them takes."""
WINDOW = 10_000
"""Maximum number of changes that one statement searches."""

# A key without a row is not valid: keys that were revoked long ago are removed.
HAS_KEY = f"""coalesce((SELECT {api_keys.IS_VALID} FROM api_keys
    WHERE id = nullif(webhooks.created_by, '{ROOT}')::uuid), webhooks.created_by = '{ROOT}')"""
COLUMNS = f"""id, version, url, types, created_by, secret, old_secrets, rotated_at, sequence, wants_test,
    attempts, next_attempt_at, failing_since, paused_at, pause_reason, lease_token, results, created_at,
    updated_at, {HAS_KEY} AS has_key"""

WEBHOOKS = ResourceTable("webhooks", COLUMNS, "webhook")

HAS_WORK = f"""{HAS_KEY} AND (wants_test OR (paused_at IS NULL
    AND ({changes.ARE_UNNUMBERED} OR sequence < (SELECT max(sequence) FROM changes))))"""
DUE_AT = "greatest(lease_until, CASE WHEN wants_test THEN '-infinity' ELSE next_attempt_at END)"
IS_DUE = f"{DUE_AT} <= now() AND {HAS_WORK}"
"""The runner also polls this condition."""


def insert(cursor: db.Cursor, values: Mapping[str, Any], limit: int) -> db.Row | None:
    """Insert a webhook that begins after the last numbered change. Returns None if there are ``limit``
    webhooks already.

    Args:
        values: ``id``, ``url``, ``types``, ``created_by``, ``secret``.
    """
    # Inserts take turns, so that concurrent ones count each other.
    return db.query_one(
        f"""LOCK TABLE webhooks IN SHARE ROW EXCLUSIVE MODE;
            INSERT INTO webhooks (id, url, types, created_by, secret, sequence)
            SELECT %(id)s, %(url)s, %(types)s, %(created_by)s, %(secret)s,
                   coalesce((SELECT max(sequence) FROM changes), 0)
            WHERE (SELECT count(*) FROM webhooks) < %(limit)s RETURNING {COLUMNS}""",
        {**values, "limit": limit},
        cursor,
    )


def delete(cursor: db.Cursor, webhook_id: str) -> None:
    """Delete a locked webhook. A delivery in progress is not canceled."""
    values = {"id": webhook_id}
    db.query("DELETE FROM idempotency_keys WHERE subject_id = %(id)s", values, cursor)
    db.query("DELETE FROM webhooks WHERE id = %(id)s", values, cursor)


def update(cursor: db.Cursor, webhook_id: str, values: Mapping[str, Any]) -> db.Row:
    """Change ``url``, ``types`` and ``created_by`` of a locked webhook. Without a valid key it is paused, so
    that it does not later send the changes it missed. A new URL is tried immediately, and a delivery to
    the old one loses its lease, so that its result does not count.
    """
    assignments = [f"{name} = %({name})s" for name in values]
    if "url" in values:
        assignments += ["failing_since = NULL", "attempts = 0", "next_attempt_at = now()"]
        assignments += ["lease_token = nextval('lease_tokens')", "lease_until = '-infinity'"]
    return _update(
        cursor,
        webhook_id,
        f"""{", ".join(assignments)},
            paused_at = CASE WHEN {HAS_KEY} THEN paused_at ELSE coalesce(paused_at, now()) END,
            pause_reason = CASE WHEN {HAS_KEY} THEN pause_reason ELSE 'key_invalid' END""",
        **values,
    )


def request_test(cursor: db.Cursor, webhook_id: str) -> db.Row:
    """Request a test, which is sent even if the webhook is paused or waits for a retry."""
    return _update(cursor, webhook_id, "wants_test = true")


def resume(cursor: db.Cursor, webhook_id: str, key_id: str) -> db.Row:
    """Resume a locked webhook after the last numbered change. It then belongs to this key."""
    return _update(
        cursor,
        webhook_id,
        """paused_at = NULL, pause_reason = NULL, failing_since = NULL, attempts = 0, next_attempt_at = now(),
           created_by = %(key_id)s,
           sequence = greatest(sequence, coalesce((SELECT max(sequence) FROM changes), 0))""",
        key_id=key_id,
    )


def rotate_secret(cursor: db.Cursor, webhook_id: str, secret: str, overlap_hours: int) -> db.Row:
    """Replace the secret. The former one also signs for ``overlap_hours``; 0 removes all former secrets."""
    return _update(
        cursor,
        webhook_id,
        """secret = %(secret)s, rotated_at = now(), old_secrets = CASE WHEN %(hours)s = 0 THEN '[]'
           ELSE jsonb_build_array(jsonb_build_object('secret', secret,
                   'until', extract(epoch FROM now() + make_interval(hours => %(hours)s))))
               || jsonb_path_query_array(old_secrets, '$[0 to 3]') END""",
        secret=secret,
        hours=overlap_hours,
    )


def _update(cursor: db.Cursor, webhook_id: str, assignments: str, **values: Any) -> db.Row:
    sql = f"UPDATE webhooks SET {assignments} WHERE id = %(id)s RETURNING {COLUMNS}"
    return db.query(sql, {**values, "id": webhook_id}, cursor)[0]


def acquire_leases(limit: int) -> list[db.Row]:
    """Lease up to ``limit`` due webhooks, longest waiting first."""
    changes.number_all()
    return db.query(
        f"""UPDATE webhooks SET lease_token = nextval('lease_tokens'),
                lease_until = now() + make_interval(secs => %s)
            WHERE id IN (SELECT id FROM webhooks WHERE {IS_DUE}
                         ORDER BY next_attempt_at, id LIMIT %s FOR UPDATE SKIP LOCKED)
            RETURNING {COLUMNS}""",
        (LEASE_SECONDS, limit),
    )


def find_next() -> float | None:
    """The seconds until the first webhook with work is due, leases included; None if none has work."""
    (row,) = db.query(
        f"""SELECT extract(epoch FROM min(greatest({DUE_AT}, now())) - now()) AS seconds
            FROM webhooks WHERE {HAS_WORK}"""
    )
    return None if row["seconds"] is None else float(row["seconds"])


def release_lease(webhook: db.Row) -> None:
    """Release the lease of a webhook to which nothing was sent."""
    db.query(
        "UPDATE webhooks SET lease_until = '-infinity' WHERE id = %s AND lease_token = %s",
        (webhook["id"], webhook["lease_token"]),
    )


def find_changes(after: int, types: Sequence[str], limit: int) -> tuple[int | None, list[db.Row]]:
    """The first changes of these types after a sequence number, among the next WINDOW changes.

    Returns:
        The last sequence number searched (None if there is none after ``after``), and the changes in order.
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
    """Lock a webhook and read it, with the database's time as ``now``. Returns None if it was deleted, or the
    lease was lost or released.
    """
    return db.query_one(
        f"""SELECT {COLUMNS}, now() AS now FROM webhooks
            WHERE id = %s AND lease_token = %s AND lease_until > '-infinity' FOR UPDATE""",
        (webhook_id, lease_token),
        cursor,
    )


def save(cursor: db.Cursor, webhook_id: str, values: Mapping[str, Any]) -> None:
    """Store a locked webhook's progress from ``webhooks.retries.advance()``, and release its lease."""
    assignments = ", ".join(f"{name} = %({name})s" for name in values)
    db.query(
        f"UPDATE webhooks SET {assignments}, lease_until = '-infinity' WHERE id = %(id)s",
        {**values, "results": psycopg2.extras.Json(values["results"]), "id": webhook_id},
        cursor,
    )
