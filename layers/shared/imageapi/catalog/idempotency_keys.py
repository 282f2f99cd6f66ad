"""The table ``idempotency_keys``, whose rows ``uploads.insert`` inserts."""

from imageapi.database import db
from imageapi.model.ids import smallest_id


def find(key: str, cursor: db.Cursor | None = None) -> db.Row | None:
    """The row of a key: ``request_hash``, ``image_id``."""
    return db.query_one("SELECT request_hash, image_id FROM idempotency_keys WHERE key = %s", (key,), cursor)


def remove(key: str, image_id: str) -> None:
    """Remove a key whose upload or image is gone."""
    db.query("DELETE FROM idempotency_keys WHERE key = %s AND image_id = %s", (key, image_id))


def remove_before(milliseconds: int, limit: int) -> bool:
    """Remove up to ``limit`` keys from before a time (milliseconds since 1970). True if more may be left."""
    removed = db.query(
        """DELETE FROM idempotency_keys WHERE image_id IN (
               SELECT image_id FROM idempotency_keys WHERE image_id < %s ORDER BY image_id LIMIT %s)
           RETURNING image_id""",
        (str(smallest_id(milliseconds)), limit),
    )
    return len(removed) >= limit
