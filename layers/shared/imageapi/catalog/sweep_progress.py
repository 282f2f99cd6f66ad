"""The table ``sweep_progress``: progress of the sweep's comparison of objects with rows."""

from typing import NamedTuple

from imageapi.database import db


class Progress(NamedTuple):
    """The last key that an unfinished comparison has compared, and whether it has kept orphans."""

    compared_until: str = ""
    has_kept_orphans: bool = False


def read() -> Progress:
    found = db.query("SELECT compared_until, has_kept_orphans FROM sweep_progress WHERE compared_until <> ''")
    return Progress(**found[0]) if found else Progress()


def write(progress: Progress) -> None:
    db.query(
        """INSERT INTO sweep_progress (compared_until, has_kept_orphans) VALUES (%s, %s)
           ON CONFLICT (only_one) DO UPDATE SET (compared_until, has_kept_orphans) =
               (excluded.compared_until, excluded.has_kept_orphans)""",
        progress,
    )
