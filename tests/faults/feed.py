"""Compares the feed of changes, and the counts, with the rows."""

from collections.abc import Mapping
from typing import Any

from tests.integration.stores import Stores

AFTER = {
    ("", "image.uploaded"): "ready",
    ("ready", "image.changed"): "ready",
    ("ready", "image.trashed"): "trashed",
    ("trashed", "image.restored"): "ready",
    ("ready", "image.deleted"): "gone",
    ("trashed", "image.deleted"): "gone",
}
"""The status of an image after each change that it may have."""

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


def compare_feed(stores: Stores, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Each image's changes lead from its upload to where it is, without one too many.

    Args:
        rows: those of images and of the trash, by id.
    """
    types: dict[str, list[str]] = {}
    for change in stores.changes():
        if change["type"].startswith("image."):
            types.setdefault(change["subject_id"], []).append(change["type"])
    told = {image_id: follow(names) for image_id, names in types.items()}
    status = {image_id: row["status"] for image_id, row in rows.items()}
    return [
        f"the feed says {told.get(image_id)}, the row {status.get(image_id, 'gone')}: {image_id}"
        for image_id in told.keys() | status.keys()
        if told.get(image_id) != status.get(image_id, "gone")
    ]


def follow(types: list[str]) -> str:
    """The status after these changes."""
    status = ""
    for name in types:
        after = AFTER.get((status, name))
        if not after:
            return f"{name} after {status!r}"
        status = after
    return status


def compare_counts(stores: Stores) -> list[str]:
    """The counts are those of the images that are not in the trash."""
    counted, present = (
        {row["name"]: int(row["images"]) for row in stores.execute(sql)} for sql in (_COUNTED, _PRESENT)
    )
    return [] if counted == present else [f"the counts are {counted}, not {present}"]
