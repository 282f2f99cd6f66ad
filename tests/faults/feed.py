"""Compares the feed of changes, and the counts, with the rows."""

from tests.faults.mirror import Mirror
from tests.integration.stores import Stores

_COUNTED = """
    SELECT kind || ' ' || name AS name, sum(images) AS images FROM (
        SELECT kind, name, images FROM facet_counts
        UNION ALL SELECT 'all', '', change FROM facet_changes
        UNION ALL SELECT 'category', category, change FROM facet_changes
        UNION ALL SELECT 'tag', tag, change FROM facet_changes, unnest(tag_keys) AS tag) AS facets
    GROUP BY 1 HAVING sum(images) <> 0"""

_PRESENT = """
    SELECT kind || ' ' || name AS name, count(*) AS images FROM (
        SELECT 'all' AS kind, '' AS name FROM image_metadata
        UNION ALL SELECT 'category', category FROM image_metadata
        UNION ALL SELECT 'tag', tag FROM image_metadata, unnest(tag_keys) AS tag) AS facets
    GROUP BY 1"""


def compare_feed(stores: Stores) -> list[str]:
    """The changes lead to the images as they are, and none is superfluous."""
    mirror = Mirror()
    mirror.take({"changes": stores.changes(), "next_cursor": None})
    return mirror.wrong + mirror.find_differences(stores)


def compare_counts(stores: Stores) -> list[str]:
    """The counts are those of the images that are not in the trash."""
    counted, present = (
        {row["name"]: int(row["images"]) for row in stores.execute(sql)} for sql in (_COUNTED, _PRESENT)
    )
    return [] if counted == present else [f"the counts are {counted}, not {present}"]
