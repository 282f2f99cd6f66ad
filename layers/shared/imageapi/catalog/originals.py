"""The objects that the bucket must contain: originals of images, in the trash or not.

One statement reads both tables: two would miss an image that is restored in between.
"""

from collections.abc import Collection, Mapping

from imageapi.database import db

_BOTH = """(SELECT id, s3_key, sha256 FROM image_metadata
            UNION ALL SELECT id, s3_key, sha256 FROM trashed_images) AS image"""


def find_object_keys(image_ids: Collection[str]) -> dict[str, str]:
    """The ``s3_key`` of each of these images that exists."""
    rows = db.query(f"SELECT id, s3_key FROM {_BOTH} WHERE id = ANY(%s::uuid[])", (list(image_ids),))
    return {row["id"]: row["s3_key"] for row in rows}


def find_claims(image_ids: Collection[str]) -> dict[str, str | None]:
    """The claims on objects of these ids: the ``s3_key`` of an image, or None for a pending upload.

    A missing id stays missing, and an image keeps its key. So an unclaimed object can be deleted at any later
    time.
    """
    rows = db.query(
        f"""SELECT id, s3_key FROM {_BOTH} WHERE id = ANY(%(ids)s::uuid[])
            UNION ALL SELECT id, NULL FROM uploads WHERE id = ANY(%(ids)s::uuid[]) AND failure IS NULL""",
        {"ids": list(image_ids)},
    )
    return {row["id"]: row["s3_key"] for row in rows}


def is_claimed(claims: Mapping[str, str | None], image_id: str, key: str) -> bool:
    """Whether a claim from :func:`find_claims` covers this object in originals/ or incoming/."""
    return image_id in claims and claims[image_id] in (None, key)


def find_between(after: str, until: str, limit: int) -> list[db.Row]:
    """The first images after one id and up to another, in id order: ``id``, ``s3_key``, ``sha256`` (hex)."""
    return db.query(
        f"""SELECT id, s3_key, encode(sha256, 'hex') AS sha256 FROM {_BOTH}
            WHERE id > %s AND id <= %s ORDER BY id LIMIT %s""",
        (after, until, limit),
    )


def find_newest_keys(limit: int) -> list[str]:
    """The ``s3_key`` of the newest images."""
    rows = db.query(f"SELECT s3_key FROM {_BOTH} ORDER BY id DESC LIMIT %s", (limit,))
    return [row["s3_key"] for row in rows]
