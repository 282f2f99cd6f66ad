"""The table ``changes``: the feed, in the order of commits.

Triggers write to the outbox ``changes_unnumbered`` (init_db.sql). Readers first number its rows, so that they
see all earlier commits.
"""

from datetime import datetime

from imageapi.database import db

COLUMNS = "sequence, time, type, subject_id, version, key_id, request_id, before::text, after::text"
"""The columns that callers see; ``before`` and ``after`` are JSON text."""
IMAGES = "image."
"""Prefix of the types of image changes."""
BATCH = 1_000
"""Maximum number of changes that one statement numbers: other readers wait for it."""
ARE_UNNUMBERED = "EXISTS (SELECT FROM changes_unnumbered)"


def number_all() -> None:
    """Number all changes that were committed before this call."""
    while _number(BATCH):
        pass


def _number(limit: int) -> int:
    # Its own statement and transaction, so that no client can hold the lock.
    return int(db.query("SELECT number_changes(%s) AS numbered", (limit,))[0]["numbered"])


def find_from(sequence: int, limit: int) -> list[db.Row]:
    """The first changes from a sequence on (inclusive), up to ``limit``."""
    sql = f"SELECT {COLUMNS} FROM changes WHERE sequence >= %s ORDER BY sequence LIMIT %s"
    rows = db.query(sql, (sequence, limit))
    if len(rows) < limit:
        _number(limit - len(rows))
        # Read again even if nothing was numbered: another reader may have numbered changes.
        rows = db.query(sql, (sequence, limit))
    return rows


def find_newest() -> tuple[int, datetime] | None:
    """Sequence and time of the newest change; None if there is none."""
    number_all()
    row = db.query_one("SELECT sequence, time FROM changes ORDER BY sequence DESC LIMIT 1")
    return (row["sequence"], row["time"]) if row else None


def find_oldest() -> int:
    """Sequence of the oldest change that is kept; 0 if there is none."""
    return int(db.query("SELECT coalesce(min(sequence), 0) AS oldest FROM changes")[0]["oldest"])


def find_of_image(image_id: str, before: int, limit: int) -> list[db.Row]:
    """The last changes of an image before a sequence, newest first; empty for the id of an API key."""
    number_all()
    return db.query(
        f"""SELECT {COLUMNS} FROM changes
            WHERE subject_id = %s AND sequence < %s AND starts_with(type, '{IMAGES}')
            ORDER BY sequence DESC LIMIT %s""",
        (image_id, before, limit),
    )


def drop_oldest(older_than: datetime) -> bool:
    """Drop the oldest partition if all its changes are older. The one with the newest change always stays.

    Returns:
        Whether more may be left.
    """
    (dropped,) = db.query("SELECT drop_changes(%s) AS more", (older_than,))
    return bool(dropped["more"])
