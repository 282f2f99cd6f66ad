"""Categories and tags with the number of their images: cheap, since nothing is counted when asked."""

from collections.abc import Mapping
from typing import Any, Literal

from imageapi import db
from imageapi.errors import InvalidRequestError
from imageapi.listing import parse_limit

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000


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
    unknown = sorted(set(parameters) - {"limit"})
    if unknown:
        raise InvalidRequestError(
            f"The query parameter {unknown[0][:64]!r} is not known.",
            code="parameter_unknown",
            details={"known": ["limit"]},
        )
    limit = parse_limit(parameters.get("limit"), DEFAULT_LIMIT, MAX_LIMIT)
    fold_changes()
    return db.query(
        """SELECT name, images FROM facet_counts
           WHERE kind = %s AND images > 0 ORDER BY images DESC, name LIMIT %s""",
        (kind, limit),
    )


def fold_changes() -> None:
    """Add up what has been noted since the last time."""
    db.query("SELECT fold_facets()")
