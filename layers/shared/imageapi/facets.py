"""Categories and tags with the number of their images, from counts that are kept beside the images."""

from typing import Any, Literal

from imageapi import db

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
FOLD_ROWS = 10_000
"""How many changes one batch adds up, in some 50 ms."""
READ_BATCHES = 20
"""The most batches before counts are read; a later request or a sweep adds up the rest."""


def list_facets(kind: Literal["category", "tag"], limit: int) -> list[dict[str, Any]]:
    """The names that the most images have.

    Args:
        kind: which names.
        limit: how many at most.

    Returns:
        ``[{"name": str, "images": int}]``, the most frequent first.
    """
    fold_changes(max_batches=READ_BATCHES)
    return db.query(
        """SELECT name, images FROM facet_counts
           WHERE kind = %s AND images > 0 ORDER BY images DESC, name LIMIT %s""",
        (kind, limit),
    )


def fold_changes(max_batches: int | None = None) -> None:
    """Add the changes that writers have noted to the counts.

    Args:
        max_batches: stop after so many batches of FOLD_ROWS; None goes on until nothing is left.
    """
    done = 0
    while max_batches is None or done < max_batches:
        if db.query("SELECT fold_facets(%s) AS n", (FOLD_ROWS,))[0]["n"] < FOLD_ROWS:
            return
        done += 1
