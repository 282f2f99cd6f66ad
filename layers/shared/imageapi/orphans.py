"""Objects without a row: whether they are what crashes left behind, and their removal.

Beside a database that is empty, another or an older one every original is without a row, and none of them
may go. What a crash leaves is one or two.
"""

from collections.abc import Callable, Sequence

from imageapi import db, rows, storage, variant_rows

LARGEST_SHARE = 10
"""At most one of so many originals may be removed, or a single one."""
FEW = 10
"""So many may be removed whatever the bucket's size, when their share allows it."""
SMALL_SHARE, MOST = 1_000, 100
"""In a large bucket it is one in so many, and never more than MOST."""
NEWEST = 10
BATCH = 500
REMOVED_WITHOUT_TIME = 10_000
"""So many are removed when there is no more time for a comparison: some seconds' work."""


def are_crashes_doing(orphans: Sequence[str], originals: int) -> bool:
    """Whether these may be removed without anybody being asked.

    Args:
        orphans: the keys of all objects without a row that a comparison has found.
        originals: how many originals it has looked at, with and without a row.
    """
    orphaned = sum(key.startswith("originals/") for key in orphans)
    return orphaned <= count_removable(originals) and _database_is_the_buckets()


def count_removable(originals: int) -> int:
    """How many originals without a row may be removed, of so many that were looked at."""
    absolute = max(FEW, min(MOST, originals // SMALL_SHARE))
    return max(1, min(absolute, originals // LARGEST_SHARE))


def remove_orphans(orphans: Sequence[str], has_time: Callable[[], bool]) -> int:
    """Remove objects, in the order of their keys.

    Args:
        has_time: whether there is time for more than REMOVED_WITHOUT_TIME of them.

    Returns:
        For how many there was time.
    """
    for start in range(0, len(orphans), BATCH):
        if start >= REMOVED_WITHOUT_TIME and not has_time():
            return start
        storage.delete_objects(_without_renditions_made_since(orphans[start : start + BATCH]))
    return len(orphans)


def _database_is_the_buckets() -> bool:
    """Whether the database knows any original of this bucket, or there is none to know.

    A comparison that goes on where the last one ended may look at renditions alone, so this asks for itself.
    """
    newest = db.query(
        "SELECT s3_key FROM image_metadata WHERE status = 'ready' ORDER BY id DESC LIMIT %s", (NEWEST,)
    )
    return any(storage.object_exists(row["s3_key"]) for row in newest) or not any(
        storage.list_objects("originals/")
    )


def _without_renditions_made_since(keys: Sequence[str]) -> list[str]:
    """A rendition may have been made again under the same key while the rest was compared."""
    parts = [key.split("/") for key in keys]
    renditions = [
        (part[1], part[2])
        for part in parts
        if part[0] == "variants" and len(part) == 3 and rows.ID.fullmatch(part[1])
    ]
    made = {storage.variant_key(*rendition) for rendition in variant_rows.find_existing(renditions)}
    return [key for key in keys if key not in made]
