"""The table ``idempotency_keys``: the resource of each key. ``uploads.insert`` adds the keys of uploads."""

from collections.abc import Callable, Mapping
from typing import Any

from imageapi.database import db
from imageapi.errors import IdempotencyKeyReusedError
from imageapi.model.idempotency import IdempotencyKey
from imageapi.model.ids import smallest_id


def find_subject(key: IdempotencyKey, cursor: db.Cursor | None = None) -> str | None:
    """The id of the resource that an earlier request with this key created; None if there is none.

    Raises:
        IdempotencyKeyReusedError: that request was different.
    """
    sql = "SELECT request_hash, subject_id FROM idempotency_keys WHERE key = %s"
    row = db.query_one(sql, (key.key,), cursor)
    if row and bytes(row["request_hash"]) != key.request_hash:
        raise IdempotencyKeyReusedError()
    return row["subject_id"] if row else None


def create_once(
    key: IdempotencyKey | None,
    prepare: Callable[[], dict[str, Any]],
    insert: Callable[[db.Cursor, Mapping[str, Any]], db.Row],
    find: Callable[[str], db.Row | None],
) -> tuple[db.Row, bool]:
    """Return the current row of an earlier request with this key, or create one; and whether it is new. Of
    several concurrent requests, one creates the row and the others wait for its transaction.

    Args:
        prepare: checks the request and returns the columns of a new row, including ``id``.
        insert: inserts the row in a transaction. Its errors are raised.
        find: returns the row with an id. A deletion must remove the Idempotency-Keys of its row.

    Raises:
        IdempotencyKeyReusedError: the key was used for a different request.
    """
    while True:
        earlier = find_subject(key) if key else None
        if earlier:
            if row := find(earlier):
                return row, False
            continue  # deleted between the two statements
        values = prepare()

        def work(cursor: db.Cursor, values: Mapping[str, Any] = values) -> db.Row | None:
            return insert(cursor, values) if key is None or _insert(cursor, key, values["id"]) else None

        if row := db.transaction(work):
            return row, True


def _insert(cursor: db.Cursor, key: IdempotencyKey, subject_id: str) -> bool:
    """Insert a key; False if it exists. Waits for a concurrent transaction that inserts it."""
    inserted = db.query(
        """INSERT INTO idempotency_keys (key, request_hash, subject_id) VALUES (%s, %s, %s)
           ON CONFLICT DO NOTHING RETURNING key""",
        (*key, subject_id),
        cursor,
    )
    return bool(inserted)


def remove(key: str, subject_id: str) -> None:
    """Remove a key whose upload or image no longer exists."""
    db.query("DELETE FROM idempotency_keys WHERE key = %s AND subject_id = %s", (key, subject_id))


def remove_before(milliseconds: int, limit: int) -> bool:
    """Remove up to ``limit`` keys from before a time (ms since 1970). Returns True if more may be left."""
    removed = db.query(
        """DELETE FROM idempotency_keys WHERE subject_id IN (
               SELECT subject_id FROM idempotency_keys WHERE subject_id < %s ORDER BY subject_id LIMIT %s)
           RETURNING subject_id""",
        (str(smallest_id(milliseconds)), limit),
    )
    return len(removed) >= limit
