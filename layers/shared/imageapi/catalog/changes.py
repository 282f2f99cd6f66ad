"""The table ``changes``: what happened, in the order of commits, without a gap.

Triggers write to ``changes_unnumbered`` (init_db.sql). Readers number the rows first, so that they see all
that was committed before.
"""

from datetime import datetime

from imageapi.database import db

COLUMNS = "sequence, time, type, subject_id, version, key_id, request_id, before::text, after::text"
"""The columns that callers see; ``before`` and ``after`` as JSON text, which is only passed on."""
IMAGES = "image."
"""Types of changes of images begin with this."""
BATCH = 1_000
"""Changes that one statement numbers; others who number wait for it."""
ARE_UNNUMBERED = "EXISTS (SELECT FROM changes_unnumbered)"


def number_all() -> None:
    """Number all changes that were committed before this call."""
    while _number(BATCH):
        pass


def _number(limit: int) -> int:
    # A statement and transaction of its own: no client can hold its lock.
    return int(db.query("SELECT number_changes(%s) AS numbered", (limit,))[0]["numbered"])


def find_from(sequence: int, limit: int) -> list[db.Row]:
    """The first changes from a sequence on, that one included: ``limit``, if there are as many."""
    sql = f"SELECT {COLUMNS} FROM changes WHERE sequence >= %s ORDER BY sequence LIMIT %s"
    rows = db.query(sql, (sequence, limit))
    if len(rows) < limit:
        _number(limit - len(rows))
        # Even if there was nothing to number: others may have done so since.
        rows = db.query(sql, (sequence, limit))
    return rows


def find_newest() -> tuple[int, datetime] | None:
    """Sequence and time of the newest change."""
    number_all()
    row = db.query_one("SELECT sequence, time FROM changes ORDER BY sequence DESC LIMIT 1")
    return (row["sequence"], row["time"]) if row else None


def find_oldest() -> int:
    """Sequence of the oldest change that is kept; 0 if there is none."""
    return int(db.query("SELECT coalesce(min(sequence), 0) AS oldest FROM changes")[0]["oldest"])


def find_of_image(image_id: str, before: int, limit: int) -> list[db.Row]:
    """The last changes of an image before a sequence, newest first. None of a key, whose id may be given."""
    number_all()
    return db.query(
        f"""SELECT {COLUMNS} FROM changes
            WHERE subject_id = %s AND sequence < %s AND starts_with(type, '{IMAGES}')
            ORDER BY sequence DESC LIMIT %s""",
        (image_id, before, limit),
    )


def drop_oldest(older_than: datetime) -> bool:
    """Forget the oldest partition if all its changes are older, never the one with the newest of all.

    Returns:
        Whether more may be left.
    """
    (dropped,) = db.query("SELECT drop_changes(%s) AS more", (older_than,))
    return bool(dropped["more"])
