"""The table ``trashed_images``: images in the trash, with all their columns and their analyses."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal

from imageapi.catalog import images
from imageapi.catalog.pending_removals import (
    FIND_LEASED,
    LEASE_SECONDS,
    LOCK_IMAGES,
    LOCK_MOVES,
    NOTE_VARIANTS,
    REMOVE_KEYS,
    TAKE_OVER,
)
from imageapi.database import db
from imageapi.model.ids import LAST_ID, ZERO_ID

Place = Literal["image", "trashed"]

# Sent as one message, it is one transaction that no client can leave open. Only rows that it moves are in
# both tables.
_MOVE = f"""{LOCK_MOVES}{TAKE_OVER};{LOCK_IMAGES}
    SELECT copy_to_trash(%(ids)s::uuid[], %(versions)s, %(days)s);
    INSERT INTO pending_removals (image_id, variants, lease_until)
        SELECT id, {NOTE_VARIANTS} FROM image_metadata AS image JOIN trashed_images USING (id)
        WHERE id = ANY(%(ids)s::uuid[]);
    DELETE FROM image_metadata AS image USING trashed_images AS trashed
        WHERE image.id = trashed.id AND image.id = ANY(%(ids)s::uuid[]);
    {REMOVE_KEYS}{FIND_LEASED}"""

_RESTORE = f"""{LOCK_MOVES}
    SELECT copy_from_trash(%(ids)s::uuid[]);
    DELETE FROM trashed_images AS trashed USING image_metadata AS image
        WHERE image.id = trashed.id AND image.id = ANY(%(ids)s::uuid[]);
    SELECT {images.COLUMNS} FROM image_metadata AS image
        WHERE id = ANY(%(ids)s::uuid[]) AND restored_at = now()"""


def move(
    image_ids: Collection[str],
    days: int,
    versions: Sequence[int] | None = None,
    cursor: db.Cursor | None = None,
) -> list[db.Row]:
    """Move images to the trash. Removes their Idempotency-Keys; their variants become pending removals.

    Args:
        days: how long they can be restored.
        versions: skip images at other versions.

    Returns:
        The removals, leased, as ``pending_removals.begin``: new ones, and unfinished ones whose lease has
        expired. Removals that another process has leased are omitted.
    """
    values = {"ids": sorted(image_ids), "days": days, "versions": versions, "lease": LEASE_SECONDS}
    return db.query_as_actor(_MOVE, values, cursor)


def restore(image_ids: Collection[str], cursor: db.Cursor | None = None) -> list[db.Row]:
    """Move images back from the trash, with their analyses.

    Returns:
        The restored images. An image with a pending removal stays: the removal could delete new variants.
    """
    return db.query_as_actor(_RESTORE, {"ids": sorted(image_ids)}, cursor)


def find_places(image_ids: Collection[str], cursor: db.Cursor | None = None) -> dict[str, Place]:
    """The place of each of these images that exists."""
    rows = db.query(
        """SELECT id, 'image' AS place FROM image_metadata WHERE id = ANY(%(ids)s::uuid[])
           UNION ALL SELECT id, 'trashed' FROM trashed_images WHERE id = ANY(%(ids)s::uuid[])""",
        {"ids": list(image_ids)},
        cursor,
    )
    return {row["id"]: row["place"] for row in rows}


def find_version(image_id: str) -> int | None:
    """The version of an image, in the trash or not; None if it does not exist."""
    found = db.query(
        """SELECT version FROM image_metadata WHERE id = %(id)s
           UNION ALL SELECT version FROM trashed_images WHERE id = %(id)s LIMIT 1""",
        {"id": image_id},
    )
    return int(found[0]["version"]) if found else None


def find_page(limit: int, before: tuple[datetime, str] | None) -> list[db.Row]:
    """Images in the trash, last trashed first: the columns of images, ``trashed_at`` and ``purge_after``.

    Args:
        before: ``trashed_at`` and id of the last image of the previous page.
    """
    return db.query(
        f"""SELECT {images.COLUMNS}, image.trashed_at, image.purge_after FROM trashed_images AS image
            WHERE (image.trashed_at, image.id) < (%s, %s)
            ORDER BY image.trashed_at DESC, image.id DESC LIMIT %s""",
        (*(before or ("infinity", LAST_ID)), limit),
    )


def find_expired(after: db.Row | None, limit: int) -> list[db.Row]:
    """The next images, after one, whose time in the trash is over: ``id``, ``purge_after``."""
    place = (after["purge_after"], after["id"]) if after else ("-infinity", ZERO_ID)
    return db.query(
        """SELECT id, purge_after FROM trashed_images
           WHERE purge_after < now() AND (purge_after, id) > (%s, %s) ORDER BY purge_after, id LIMIT %s""",
        (*place, limit),
    )


def count() -> int:
    """The number of images in the trash."""
    return int(db.query("SELECT count(*) AS images FROM trashed_images")[0]["images"])
