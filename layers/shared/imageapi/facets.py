"""Categories and tags with the number of their images: cheap, since nothing is counted when asked."""

from collections.abc import Mapping
from typing import Any, Literal

from imageapi import db
from imageapi.listing import check_known, parse_limit

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
FOLD_ROWS = 10_000
"""How many changes are added up at once: some 50 ms."""
READ_BITES = 20
"""So often at most before counts are read; what is left then, a later reader or a sweep adds up."""


def list_facets(kind: Literal["category", "tag"], parameters: Mapping[str, str]) -> list[dict[str, Any]]:
    """The names that the most images have.

    Args:
        kind: which names.
        parameters: the query string: ``limit`` (1 to 1,000, 100 when absent).

    Returns:
        ``[{"name": str, "images": int}]``, the most frequent first.

    Raises:
        InvalidRequestError: ``parameter_unknown`` or ``limit_invalid``.
    """
    for name in sorted(parameters):
        check_known(name, {"limit"})
    limit = parse_limit(parameters.get("limit"), DEFAULT_LIMIT, MAX_LIMIT)
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
