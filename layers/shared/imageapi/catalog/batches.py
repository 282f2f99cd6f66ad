"""The table ``batches``: the results of each batch, by its Idempotency-Key.

A transaction locks the row, changes an image and writes its result: a repeated request changes nothing twice.
"""

from typing import Any

import psycopg2.extras

from imageapi.database import db

Results = dict[str, dict[str, Any]]
"""By image id: ``{"status": int, "error"?: {"code": str, "message": str}}``."""


def begin(key: str, request_hash: bytes) -> db.Row:
    """Store a request. Returns ``request_hash`` and ``results`` of the first request with this key."""
    return db.query(
        """INSERT INTO batches (key, request_hash) VALUES (%(key)s, %(hash)s) ON CONFLICT DO NOTHING;
           SELECT request_hash, results FROM batches WHERE key = %(key)s""",
        {"key": key, "hash": request_hash},
    )[0]


def lock(cursor: db.Cursor, key: str | None) -> Results:
    """The results so far, locked until the transaction ends."""
    row = db.query_one("SELECT results FROM batches WHERE key = %s FOR UPDATE", (key,), cursor)
    return dict(row["results"]) if row else {}


def note(cursor: db.Cursor, key: str | None, results: Results) -> None:
    """Add results to those of a locked key."""
    values = (psycopg2.extras.Json(results), key)
    db.query("UPDATE batches SET results = results || %s WHERE key = %s", values, cursor)


def remove_before(days: int, limit: int) -> bool:
    """Remove up to ``limit`` keys older than ``days``. Returns True if more may be left."""
    removed = db.query(
        """DELETE FROM batches WHERE key IN (
               SELECT key FROM batches WHERE created_at < now() - make_interval(days => %s)
               ORDER BY created_at LIMIT %s)
           RETURNING key""",
        (days, limit),
    )
    return len(removed) >= limit
