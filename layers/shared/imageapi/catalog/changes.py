"""The table ``changes``: what happened, in the order of commits. Triggers write it (init_db.sql)."""

from datetime import datetime
from typing import NamedTuple

from imageapi.database import db

COLUMNS = "sequence, time, type, image_id, version, key_id, request_id, before::text, after::text"
"""The columns that callers see; ``before`` and ``after`` as JSON text, which is only passed on."""


class Range(NamedTuple):
    """The sequences of the oldest and the newest change; 0 if there are none."""

    oldest: int
    newest: int


def find_from(sequence: int, limit: int) -> list[db.Row]:
    """The first changes from a sequence on, that one included. Whoever sees a change sees all before it: they
    are numbered under a lock that is held until the commit is visible.
    """
    return db.query(
        f"SELECT {COLUMNS} FROM changes WHERE sequence >= %s ORDER BY sequence LIMIT %s", (sequence, limit)
    )


def find_newest() -> tuple[int, datetime] | None:
    """Sequence and time of the newest change."""
    rows = db.query("SELECT sequence, time FROM changes ORDER BY sequence DESC LIMIT 1")
    return (rows[0]["sequence"], rows[0]["time"]) if rows else None


def find_range() -> Range:
    """Which changes are kept."""
    (row,) = db.query(
        "SELECT coalesce(min(sequence), 0) AS oldest, coalesce(max(sequence), 0) AS newest FROM changes"
    )
    return Range(**row)


def find_of_image(image_id: str, before: int, limit: int) -> list[db.Row]:
    """The last changes of an image before a sequence, newest first."""
    return db.query(
        f"""SELECT {COLUMNS} FROM changes WHERE image_id = %s AND starts_with(type, 'image.')
            AND sequence < %s ORDER BY sequence DESC LIMIT %s""",
        (image_id, before, limit),
    )


def remove_before(moment: datetime, limit: int) -> bool:
    """Remove those of the oldest ``limit`` changes that are older than ``moment``, never the newest of all.

    Returns:
        Whether more may be left.
    """
    # Only from the oldest on: a clock that was set back must not make a gap.
    (removed,) = db.query(
        """WITH oldest AS (SELECT sequence, time FROM changes ORDER BY sequence LIMIT %(limit)s + 1),
           kept AS (
               SELECT coalesce(min(sequence) FILTER (WHERE time >= %(moment)s), max(sequence)) AS sequence
               FROM oldest),
           removed AS (DELETE FROM changes USING kept WHERE changes.sequence < kept.sequence RETURNING 1)
           SELECT count(*) AS count FROM removed""",
        {"moment": moment, "limit": limit},
    )
    return bool(removed["count"] >= limit)
