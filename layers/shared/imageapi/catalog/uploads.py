"""The table ``uploads``: uploads, pending or failed.

A failed upload never becomes an image; ``failure`` is its error code. ``images.insert`` turns a pending one
into an image and removes its row.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg2.extras

from imageapi.actor import get_actor
from imageapi.database import db
from imageapi.model.ids import ZERO_ID

COLUMNS = (
    "id, metadata, filename, mime_type, size_bytes, encode(sha256, 'hex') AS sha256, s3_key, failure,"
    " key_id, lease_until >= now() AS is_leased, lease_token, attempts, created_at"
)
"""The columns that callers see."""
KEPT_DAYS = 7
"""How long the row of a failed upload stays, so that the client can read the reason."""
RETRY_SECONDS = 1_200
"""The sweep's backoff after a failed attempt. Longer than a sweep takes."""

# Inserts nothing if the Idempotency-Key exists.
_INSERT = f"""
    WITH key AS (
        INSERT INTO idempotency_keys (key, request_hash, subject_id)
        SELECT %(idempotency_key)s, %(request_hash)s, %(id)s WHERE %(idempotency_key)s IS NOT NULL
        ON CONFLICT DO NOTHING RETURNING key)
    INSERT INTO uploads (id, metadata, filename, mime_type, size_bytes, sha256, s3_key, key_id, expires_at,
                         lease_until, attempts, created_at)
    SELECT %(id)s, %(metadata)s, %(filename)s, %(mime_type)s, %(size_bytes)s, %(sha256)s, %(s3_key)s,
           %(key_id)s,
           now() + make_interval(secs => %(open_seconds)s), now() + make_interval(secs => %(lease_seconds)s),
           CASE WHEN %(lease_seconds)s > 0 THEN 1 ELSE 0 END, %(created_at)s
    WHERE %(idempotency_key)s IS NULL OR EXISTS (SELECT FROM key)
    RETURNING {COLUMNS}"""


@dataclass(frozen=True)
class NewUpload:
    """An upload that has not been inserted yet.

    Attributes:
        sha256: 32 bytes; None while unknown.
        s3_key: the future key of its object; None while unknown.
        request_hash: 32 bytes, equal for equal requests.
        open_seconds: how long the service waits for its file.
        lease_seconds: how long the inserting request holds the lease.
    """

    id: str
    created_at: datetime
    metadata: dict[str, Any]
    filename: str
    mime_type: str
    size_bytes: int
    sha256: bytes | None
    idempotency_key: str | None
    request_hash: bytes
    s3_key: str | None = None
    open_seconds: int = 0
    lease_seconds: int = 0


def insert(upload: NewUpload, cursor: db.Cursor | None = None) -> db.Row | None:
    """Insert an upload, leased for ``lease_seconds``. Returns None if the Idempotency-Key exists."""
    metadata = psycopg2.extras.Json(upload.metadata)
    return db.query_one(_INSERT, {**vars(upload), "metadata": metadata, "key_id": get_actor().key_id}, cursor)


def find(upload_id: str) -> db.Row | None:
    """The upload, pending or failed; None if it does not exist or has become an image."""
    return db.query_one(f"SELECT {COLUMNS} FROM uploads WHERE id = %s", (upload_id,))


def find_same_bytes(cursor: db.Cursor, sha256: bytes | None) -> tuple[str | None, bool]:
    """The first image with these bytes, and whether an upload of them is in progress."""
    # One statement: two would miss an upload that becomes an image in between.
    (found,) = db.query(
        """SELECT (SELECT id FROM image_metadata WHERE sha256 = %(sha256)s ORDER BY id LIMIT 1) AS image_id,
                  EXISTS (SELECT FROM uploads WHERE sha256 = %(sha256)s AND failure IS NULL
                          AND s3_key IS NOT NULL AND lease_until > now()) AS under_way""",
        {"sha256": sha256},
        cursor,
    )
    return found["image_id"], found["under_way"]


def extend_expiry(upload_id: str, open_seconds: int) -> db.Row | None:
    """Extend the wait for the file of an upload that is registered again. None if it is not pending."""
    return db.query_one(
        f"""UPDATE uploads SET expires_at = greatest(expires_at, now() + make_interval(secs => %s))
            WHERE id = %s AND failure IS NULL RETURNING {COLUMNS}""",
        (open_seconds, upload_id),
    )


def take_over(upload_id: str, lease_seconds: int) -> db.Row | None:
    """Lease a pending upload for a repeated request with the same bytes. The earlier request loses its lease,
    and so can neither finish nor undo the upload. Returns None if it is not pending.
    """
    return db.query_one(
        f"""UPDATE uploads SET lease_until = now() + make_interval(secs => %s),
                lease_token = nextval('lease_tokens')
            WHERE id = %s AND failure IS NULL RETURNING {COLUMNS}""",
        (lease_seconds, upload_id),
    )


def acquire_lease(upload_id: str, lease_seconds: int) -> db.Row | None:
    """Lease a pending upload and count an attempt. None if it is leased, or not pending."""
    return db.query_one(
        f"""UPDATE uploads SET lease_until = now() + make_interval(secs => %(lease)s),
                expires_at = greatest(expires_at, now() + make_interval(secs => %(lease)s)),
                lease_token = nextval('lease_tokens'), attempts = attempts + 1
            WHERE id = %(id)s AND failure IS NULL AND lease_until < now() RETURNING {COLUMNS}""",
        {"id": upload_id, "lease": lease_seconds},
    )


def release_lease(upload: db.Row, *, counted: bool) -> None:
    """Release a lease, so that the next request can acquire it.

    Args:
        counted: whether this was an attempt; False if a store was unavailable.
    """
    db.query(
        """UPDATE uploads SET lease_until = now(), attempts = attempts - %s,
               expires_at = greatest(expires_at, now() + make_interval(secs => %s))
           WHERE id = %s AND lease_token = %s""",
        (0 if counted else 1, RETRY_SECONDS if counted else 0, upload["id"], upload["lease_token"]),
    )


def record_object(upload: db.Row, s3_key: str, mime_type: str, sha256: bytes) -> bool:
    """Record key, type and hash of an object before it is put. False if the lease was lost."""
    named = db.query(
        """UPDATE uploads SET s3_key = %s, mime_type = %s, sha256 = %s
           WHERE id = %s AND lease_token = %s AND failure IS NULL RETURNING id""",
        (s3_key, mime_type, sha256, upload["id"], upload["lease_token"]),
    )
    return bool(named)


def refuse(upload: db.Row, failure: str) -> bool:
    """Fail a leased upload permanently and free its Idempotency-Key. The row stays for KEPT_DAYS without its
    metadata, so that the client can read the reason. Returns False if the lease was lost.
    """
    return _fail(upload, failure, "lease_token = %(lease_token)s", KEPT_DAYS)


def interrupt(upload: db.Row) -> bool:
    """Fail a leased upload that will not be finished and free its Idempotency-Key. The caller removes the
    objects, then the row. Returns False if the lease was lost.
    """
    return _fail(upload, "upload_interrupted", "lease_token = %(lease_token)s", 0)


def interrupt_expired(upload: db.Row) -> bool:
    """Fail an expired upload, as :func:`refuse`. False if it is leased, not pending, or still open."""
    return _fail(upload, "upload_interrupted", "lease_until < now() AND expires_at < now()", KEPT_DAYS)


def remove(upload_id: str) -> None:
    """Remove the row of a failed upload, after its objects."""
    db.query("DELETE FROM uploads WHERE id = %s AND failure IS NOT NULL", (upload_id,))


def find_expired(after: db.Row | None, limit: int) -> list[db.Row]:
    """The next expired uploads without a lease, in order of expiry. A failed attempt extends the expiry, so
    the upload moves to the end.

    Args:
        after: the last row of the previous call.
    """
    place = (after["expires_at"], after["id"]) if after else ("-infinity", ZERO_ID)
    return db.query(
        f"""SELECT {COLUMNS}, expires_at FROM uploads
            WHERE expires_at < now() AND lease_until < now() AND (expires_at, id) > (%s, %s)
            ORDER BY expires_at, id LIMIT %s""",
        (*place, limit),
    )


def find_pending(after: str, limit: int) -> list[str]:
    """Ids of the first pending uploads after one, in order."""
    rows = db.query(
        "SELECT id FROM uploads WHERE failure IS NULL AND id > %s ORDER BY id LIMIT %s", (after, limit)
    )
    return [row["id"] for row in rows]


def find_object_keys(upload_ids: Collection[str]) -> dict[str, str | None]:
    """The ``s3_key`` of each of these uploads that has a row, pending or failed."""
    rows = db.query("SELECT id, s3_key FROM uploads WHERE id = ANY(%s::uuid[])", (list(upload_ids),))
    return {row["id"]: row["s3_key"] for row in rows}


def _fail(upload: db.Row, failure: str, condition: str, days: int) -> bool:
    failed = db.query(
        f"""WITH failed AS (
                UPDATE uploads SET failure = %(failure)s, metadata = '{{}}', filename = '',
                    lease_until = now(), expires_at = now() + make_interval(days => %(days)s)
                WHERE id = %(id)s AND failure IS NULL AND {condition} RETURNING id),
            freed AS (DELETE FROM idempotency_keys USING failed WHERE subject_id = failed.id)
            SELECT id FROM failed""",
        {"failure": failure, "days": days, "id": upload["id"], "lease_token": upload["lease_token"]},
    )
    return bool(failed)
