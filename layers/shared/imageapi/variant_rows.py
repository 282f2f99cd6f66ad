"""The rows of renditions: pending while one is made, ready, gone. All SQL of ``image_variants`` is here.

The row comes first: an object is put under ``variants/<image_id>/<name>`` only by who holds the row's claim.
A claim that has run out may be taken over, by a request that renders or by a sweep that removes.
"""

from collections.abc import Sequence
from uuid import UUID

from imageapi import db, variants

Name = tuple[str, str]
"""A rendition: ``(image id, name)``."""


def find_image(image_id: str, name: str) -> db.Row | None:
    """What a ready image's delivery needs, with the ``variant_status`` of one of its renditions (None when it
    has no row), and whether it ``has_copy``, a reduced one.
    """
    found = db.query(
        """SELECT image.id, image.s3_key, image.mime_type, image.filename, image.size_bytes, image.frames,
                  variant.status AS variant_status,
                  EXISTS (SELECT FROM image_variants AS copy WHERE copy.image_id = image.id
                          AND copy.name = %s AND copy.status = 'ready') AS has_copy
           FROM image_metadata AS image
           LEFT JOIN image_variants AS variant ON variant.image_id = image.id AND variant.name = %s
           WHERE image.id = %s AND image.status = 'ready'""",
        (variants.REDUCED, name, image_id),
    )
    return found[0] if found else None


def claim(image_id: str, name: str, seconds: float) -> bool:
    """Become the one that renders, for so long; False when another is at it, or has been."""
    claimed = db.query(
        """INSERT INTO image_variants AS variant (image_id, name, claimed_until)
           SELECT id, %(name)s, now() + make_interval(secs => %(seconds)s)
           FROM image_metadata WHERE id = %(id)s AND status = 'ready'
           ON CONFLICT (image_id, name) DO UPDATE SET claimed_until = excluded.claimed_until
           WHERE variant.status = 'pending' AND variant.claimed_until < now()
           RETURNING name""",
        {"id": image_id, "name": name, "seconds": seconds},
    )
    return bool(claimed)


def mark_ready(image_id: str, name: str) -> bool:
    """Let the rendition be used: its object is there. False when the image has been deleted meanwhile."""
    kept = db.query(
        """UPDATE image_variants AS variant SET status = 'ready'
           FROM image_metadata AS image
           WHERE image.id = variant.image_id AND image.status = 'ready'
             AND variant.image_id = %s AND variant.name = %s RETURNING variant.name""",
        (image_id, name),
    )
    return bool(kept)


def take_over(image_id: str, name: str) -> bool:
    """Claim for a minute what another's claim has run out for; False when somebody else is at it."""
    taken = db.query(
        """UPDATE image_variants SET claimed_until = now() + interval '1 minute'
           WHERE image_id = %s AND name = %s AND status = 'pending' AND claimed_until < now()
           RETURNING name""",
        (image_id, name),
    )
    return bool(taken)


def abandon(image_id: str, name: str) -> None:
    """Remove a row that has not turned ready, after its object."""
    db.query(
        "DELETE FROM image_variants WHERE image_id = %s AND name = %s AND status = 'pending'",
        (image_id, name),
    )


def delete_lost(lost: Sequence[Name]) -> None:
    """Remove the rows of ready renditions whose objects are gone, so that they are made again."""
    db.query(
        """DELETE FROM image_variants
           WHERE status = 'ready' AND (image_id, name) IN (SELECT * FROM unnest(%s::uuid[], %s::text[]))""",
        _columns(lost),
    )


def find_names(image_id: str) -> list[str]:
    """The names of all renditions of an image, whatever their state."""
    found = db.query("SELECT name FROM image_variants WHERE image_id = %s", (image_id,))
    return [row["name"] for row in found]


def find_existing(renditions: Sequence[Name]) -> set[Name]:
    """Those that have a row."""
    found = db.query(
        """SELECT image_id, name FROM image_variants
           WHERE (image_id, name) IN (SELECT * FROM unnest(%s::uuid[], %s::text[]))""",
        _columns(renditions),
    )
    return {(row["image_id"], row["name"]) for row in found}


def find_expired(after: Name | None, limit: int) -> list[db.Row]:
    """The next rows, after one of them, whose rendition was begun and not finished in time: ``image_id``,
    ``name``.
    """
    return db.query(
        """SELECT image_id, name FROM image_variants
           WHERE status = 'pending' AND claimed_until < now() AND (image_id, name) > (%s, %s)
           ORDER BY image_id, name LIMIT %s""",
        (*(after or (str(UUID(int=0)), "")), limit),
    )


def find_between(low: str, high: str, limit: int) -> list[db.Row]:
    """The first rows whose objects' keys come after ``low`` and not after ``high``, in the order of the keys:
    ``image_id``, ``name``, ``status``.
    """
    # The index knows the database's own order of texts, which need not be that of S3: it finds the images,
    # and the few names of each are sorted.
    return db.query(
        """SELECT image_id, name, status FROM image_variants
           WHERE (image_id, name COLLATE "C") > (%s, %s) AND (image_id, name COLLATE "C") <= (%s, %s)
           ORDER BY image_id, name COLLATE "C" LIMIT %s""",
        (*_place(low), *_place(high), limit),
    )


def find_first_id(text: str) -> str:
    """The first id, of all there can be, that does not sort before a text (the last one when all do)."""
    low, high = 0, 2**128 - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if str(UUID(int=middle)) < text else (low, middle)
    return str(UUID(int=low))


def _place(key: str) -> Name:
    """Where a key, which need not be a rendition's, stands among the rows."""
    part, _, name = key.removeprefix("variants/").partition("/")
    image_id = find_first_id(part)
    return image_id, name if part == image_id else ""


def _columns(renditions: Sequence[Name]) -> tuple[list[str], list[str]]:
    return [image_id for image_id, _ in renditions], [name for _, name in renditions]
