"""Image counts per category and tag: ``facet_counts`` plus the pending rows of ``facet_changes``. One
statement reads both, so the sum is exact.
"""

from typing import Any, Literal

from imageapi.database import db, locks
from imageapi.errors import InvalidCursorError
from imageapi.model.cursor_codec import decode_values, encode_values

Kind = Literal["all", "category", "tag"]
MAX_COUNT = 2**62
MAX_CHANGES = 1_000
"""With more changes than this, a request first adds a batch of them to the counts."""
BATCH_ROWS = 500
"""Changes per statement, each with up to 34 names. A request applies one batch, a sweep applies all."""

_CHANGES = {
    "all": "SELECT '' AS name, change FROM facet_changes",
    "category": "SELECT category AS name, change FROM facet_changes",
    "tag": "SELECT tag AS name, change FROM facet_changes, unnest(tag_keys) AS tag",
}
"""SQL that selects ``name`` and ``change`` of each change, by kind."""


def list_facets(
    kind: Literal["category", "tag"], plural: str, limit: int, cursor: str | None
) -> dict[str, Any]:
    """``{plural: [{"name": str, "image_count": int}], "next_cursor": str | None}``, the most frequent names
    first. A name whose count changes between two pages may be missing or appear twice.

    Raises:
        InvalidRequestError: ``cursor_invalid``, ``cursor_mismatch``.
    """
    filters = {"list": plural}
    most, after = _parse_cursor(cursor, filters) if cursor else (MAX_COUNT, "")
    rows = _find_facets(kind, limit + 1, most, after)
    last = rows[limit - 1] if len(rows) > limit else None
    following = encode_values([last["image_count"], last["name"]], filters) if last else None
    return {plural: rows[:limit], "next_cursor": following}


def _parse_cursor(cursor: str, filters: dict[str, str]) -> tuple[int, str]:
    most, after = decode_values(cursor, filters, int, str)
    if not 0 < most <= MAX_COUNT or "\0" in after:
        raise InvalidCursorError()
    return most, after.encode("utf-8", "replace").decode()


def _find_facets(kind: str, limit: int, most: int, after: str) -> list[db.Row]:
    """The names with ``most`` images that follow ``after``, then names with fewer images."""
    _apply_if_many()
    # Of the unchanged counts, the top ones suffice.
    return db.query(
        f"""WITH noted AS ({_CHANGES[kind]}),
            changes AS (SELECT name, sum(change) AS change FROM noted GROUP BY name),
            facets AS (
                (SELECT name, images FROM facet_counts
                 WHERE kind = %(kind)s AND name NOT IN (SELECT name FROM changes)
                     AND images <= %(most)s AND (images < %(most)s OR name > %(after)s)
                 ORDER BY images DESC, name LIMIT %(limit)s + 1)
                UNION ALL
                SELECT name, coalesce(counts.images, 0) + change FROM changes
                LEFT JOIN (SELECT name, images FROM facet_counts WHERE kind = %(kind)s) AS counts
                    USING (name))
            SELECT name, images::bigint AS image_count FROM facets
            WHERE images > 0 AND name <> '' AND images <= %(most)s AND (images < %(most)s OR name > %(after)s)
            ORDER BY images DESC, name LIMIT %(limit)s""",
        {"kind": kind, "limit": limit, "most": most, "after": after},
    )


def count_images(kind: Kind, name: str) -> int:
    """The exact number of images: all, in a category, or with a tag."""
    _apply_if_many()
    (counted,) = db.query(
        f"""SELECT coalesce((SELECT images FROM facet_counts WHERE kind = %(kind)s AND name = %(name)s), 0)
                 + coalesce((SELECT sum(change) FROM ({_CHANGES[kind]}) AS noted WHERE name = %(name)s), 0)
                   AS images""",
        {"kind": kind, "name": name},
    )
    return int(counted["images"])


def apply_changes(max_batches: int | None = None) -> None:
    """Add the changes to the counts and remove names without images. Does nothing if another transaction is
    adding changes: the two could deadlock on each other's names.

    Args:
        max_batches: maximum number of batches of BATCH_ROWS; None for all changes.
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
    """Apply one batch if there are many changes, estimated from positions."""
    (found,) = db.query("SELECT coalesce(max(position) - min(position) + 1, 0) AS changes FROM facet_changes")
    if found["changes"] > MAX_CHANGES:
        apply_changes(1)
