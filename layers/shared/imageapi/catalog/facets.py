"""Image counts per category and tag: ``facet_counts`` plus the rows of ``facet_changes``, which are not yet
added to it. Both are read in one statement, so the sum is exact.
"""

from typing import Any, Literal

from imageapi.database import db, locks

Kind = Literal["all", "category", "tag"]
DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
MAX_CHANGES = 1_000
"""With more changes than this, a request first adds a batch of them to the counts."""
BATCH_ROWS = 500
"""Changes per statement, each of up to 34 names. A request runs one batch, a sweep all."""

_CHANGES = {
    "all": "SELECT '' AS name, change FROM facet_changes",
    "category": "SELECT category AS name, change FROM facet_changes",
    "tag": "SELECT tag AS name, change FROM facet_changes, unnest(tag_keys) AS tag",
}
"""SQL, by kind: ``name`` and ``change`` of each change."""


def list_facets(kind: Literal["category", "tag"], limit: int) -> list[dict[str, Any]]:
    """``[{"name": str, "images": int}]``, the most frequent names first."""
    _apply_if_many()
    # Of the unchanged counts, the top ones suffice.
    return db.query(
        f"""WITH noted AS ({_CHANGES[kind]}),
            changes AS (SELECT name, sum(change) AS change FROM noted GROUP BY name),
            facets AS (
                (SELECT name, images FROM facet_counts
                 WHERE kind = %(kind)s AND name NOT IN (SELECT name FROM changes)
                 ORDER BY images DESC, name LIMIT %(limit)s + 1)
                UNION ALL
                SELECT name, coalesce(counts.images, 0) + change FROM changes
                LEFT JOIN (SELECT name, images FROM facet_counts WHERE kind = %(kind)s) AS counts
                    USING (name))
            SELECT name, images::bigint FROM facets WHERE images > 0 AND name <> ''
            ORDER BY images DESC, name LIMIT %(limit)s""",
        {"kind": kind, "limit": limit},
    )


def count_images(kind: Kind, name: str) -> int:
    """How many images there are in all, in a category, or with a tag."""
    _apply_if_many()
    (counted,) = db.query(
        f"""SELECT coalesce((SELECT images FROM facet_counts WHERE kind = %(kind)s AND name = %(name)s), 0)
                 + coalesce((SELECT sum(change) FROM ({_CHANGES[kind]}) AS noted WHERE name = %(name)s), 0)
                   AS images""",
        {"kind": kind, "name": name},
    )
    return int(counted["images"])


def apply_changes(max_batches: int | None = None) -> None:
    """Add the changes to the counts, unless another transaction is doing so: two could deadlock on each
    other's names. Names that no image has any more are removed.

    Args:
        max_batches: at most this many batches of BATCH_ROWS; None for all changes.
    """
    done = 0
    while (max_batches is None or done < max_batches) and _apply_batch() == BATCH_ROWS:
        done += 1
    db.query(
        """DELETE FROM facet_counts
           WHERE kind = ANY(%s) AND images = 0 AND (SELECT pg_try_advisory_xact_lock(%s, 0))""",
        (list(_CHANGES), locks.FACETS),
    )


def _apply_batch() -> int:
    kinds = " UNION ALL ".join(
        f"SELECT '{kind}' AS kind, name, change FROM ({names})"
        for kind, names in ((kind, sql.replace("facet_changes", "noted")) for kind, sql in _CHANGES.items())
    )
    (folded,) = db.query(
        f"""WITH noted AS (
                DELETE FROM facet_changes WHERE position IN (
                    SELECT position FROM facet_changes ORDER BY position LIMIT %s)
                    AND (SELECT pg_try_advisory_xact_lock(%s, 0))
                RETURNING change, category, tag_keys),
            counted AS (
                INSERT INTO facet_counts AS counts (kind, name, images)
                SELECT kind, name, sum(change) FROM ({kinds}) AS changes
                GROUP BY kind, name HAVING sum(change) <> 0
                ON CONFLICT (kind, name) DO UPDATE SET images = counts.images + excluded.images)
            SELECT count(*) AS changes FROM noted""",
        (BATCH_ROWS, locks.FACETS),
    )
    return int(folded["changes"])


def _apply_if_many() -> None:
    """Estimates the number of changes from positions."""
    (found,) = db.query("SELECT coalesce(max(position) - min(position) + 1, 0) AS changes FROM facet_changes")
    if found["changes"] > MAX_CHANGES:
        apply_changes(1)
