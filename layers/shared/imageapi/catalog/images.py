"""The table ``image_metadata``: images, whose objects are checked and stored."""

from collections.abc import Mapping, Sequence
from typing import Any

from imageapi.database import db
from imageapi.model.metadata import FIELDS

COLUMNS = f"""
    image.id, image.version, {", ".join(f"image.{field}" for field in FIELDS)}, image.filename, image.s3_key,
    image.mime_type, image.size_bytes, image.width, image.height, image.frames,
    encode(image.sha256, 'hex') AS sha256,
    (SELECT first.id FROM image_metadata AS first
     WHERE first.sha256 = image.sha256 AND first.id < image.id ORDER BY first.id LIMIT 1) AS duplicate_of,
    image.placeholder, image.exif, image.link_version, image.created_at, image.updated_at"""
"""The columns of ``image_metadata AS image`` that callers see."""

_INSERTED = (
    *FIELDS,
    *("filename", "s3_key", "mime_type", "size_bytes", "width", "height", "frames", "sha256", "placeholder"),
    *("exif", "created_at", "search_text", "strong_length", "tokens", "tag_keys", "title_key"),
)

_INSERT = f"""
    WITH upload AS (
        DELETE FROM uploads WHERE id = %(id)s AND lease_token = %(lease_token)s AND failure IS NULL
        RETURNING id),
    image AS (
        INSERT INTO image_metadata (id, {", ".join(_INSERTED)})
        SELECT id, {", ".join(f"%({column})s" for column in _INSERTED)} FROM upload RETURNING *),
    analysis AS (
        INSERT INTO image_analysis (image_id, status) SELECT id, 'queued' FROM image WHERE %(analyze)s)
    SELECT {COLUMNS} FROM image"""


def insert(values: Mapping[str, Any]) -> db.Row | None:
    """Turn an upload whose object is stored into an image: delete its row and insert the image's.

    Args:
        values: the columns of ``image_metadata``, the upload's ``lease_token``, and ``analyze``: whether to
            queue an analysis.

    Returns:
        The image; None if the upload is no longer pending, or the lease was lost.
    """
    return db.query_one_as_actor(_INSERT, values)


def find(image_id: str, cursor: db.Cursor | None = None) -> db.Row | None:
    return db.query_one(
        f"SELECT {COLUMNS} FROM image_metadata AS image WHERE image.id = %s", (image_id,), cursor
    )


def lock(cursor: db.Cursor, image_id: str, versions: Sequence[int] | None = None) -> db.Row | None:
    """The image, locked against changes until the transaction ends.

    Args:
        versions: return it only at one of these versions.
    """
    return db.query_one(
        f"""SELECT {COLUMNS} FROM image_metadata AS image
            WHERE image.id = %s AND image.version = ANY(coalesce(%s, ARRAY[image.version]))
            FOR NO KEY UPDATE OF image""",
        (image_id, versions),
        cursor,
    )


def update(cursor: db.Cursor, image_id: str, values: Mapping[str, Any], *, new_version: bool) -> db.Row:
    """Change columns of an image that the transaction has locked.

    Args:
        new_version: True if a client changes it; False if only search columns change.
    """
    assignments = [f"{column} = %({column})s" for column in values]
    if new_version:
        assignments += ["version = version + 1", "updated_at = now()"]
    return db.query(
        f"""UPDATE image_metadata AS image SET {", ".join(assignments)} WHERE image.id = %(id)s
            RETURNING {COLUMNS}""",
        {**values, "id": image_id},
        cursor,
    )[0]


def raise_link_version(image_id: str) -> db.Row | None:
    """Revoke an image's permanent links, which are signed with its link version. Returns the image."""
    return db.query_one_as_actor(
        f"""UPDATE image_metadata AS image SET link_version = link_version + 1 WHERE image.id = %s
            RETURNING {COLUMNS}""",
        (image_id,),
    )
