"""Categories and tags with the number of their images: cheap, since nothing is counted when asked."""

from typing import Any, Literal

from imageapi import db

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
FOLD_ROWS = 10_000
"""How many changes are added up at once: some 50 ms."""
READ_BITES = 20
"""So often at most before counts are read; what is left then, a later reader or a sweep adds up."""


def list_facets(kind: Literal["category", "tag"], limit: int) -> list[dict[str, Any]]:
    """The names that the most images have.

    Args:
        kind: which names.
        limit: how many at most.

    Returns:
        ``[{"name": str, "images": int}]``, the most frequent first.
    """
    fold_changes(bites=READ_BITES)
    return db.query(
        """SELECT name, images FROM facet_counts
           WHERE kind = %s AND images > 0 ORDER BY images DESC, name LIMIT %s""",
        (kind, limit),
    )


def fold_changes(bites: int | None = None) -> None:
    """Add up what has been noted since the last time.

    Args:
        bites: stop after so many times FOLD_ROWS; None goes on until nothing is left.
    """
    done = 0
    while bites is None or done < bites:
        if db.query("SELECT fold_facets(%s) AS n", (FOLD_ROWS,))[0]["n"] < FOLD_ROWS:
            return
        done += 1
