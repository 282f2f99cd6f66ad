"""The table ``image_variants``: variants that are ready, pending or failed."""

from collections.abc import Sequence

from imageapi.database import db
from imageapi.model import variant_names
from imageapi.model.ids import ZERO_ID

Name = tuple[str, str]
"""A variant: ``(image id, name)``."""


LEASE_SECONDS = 30
"""Time to render and store a variant before another request may try."""
MAX_ATTEMPTS = 3
"""A variant fails after this many attempts without a result: it may crash its process."""
RETRY_SECONDS, RETRY_FACTOR, MAX_RETRY_SECONDS = 60, 4, 86_400
"""Exponential backoff of a failed variant."""


def find_image(image_id: str, name: str) -> db.Row | None:
    """Columns of an image for delivery, whether it ``has_intermediate`` (ready), and of the variant
    ``variant_status`` (None without a row), ``variant_failure`` and ``is_leased``.
    """
    return db.query_one(
        """SELECT image.id, image.s3_key, image.mime_type, image.filename, image.size_bytes, image.width,
                  image.height, image.frames, image.link_version,
                  variant.status AS variant_status, variant.failure AS variant_failure,
                  variant.lease_until > now() AS is_leased,
                  EXISTS (SELECT FROM image_variants AS copy WHERE copy.image_id = image.id
                          AND copy.name = %s AND copy.status = 'ready') AS has_intermediate
           FROM image_metadata AS image
           LEFT JOIN image_variants AS variant ON variant.image_id = image.id AND variant.name = %s
           WHERE image.id = %s""",
        (variant_names.INTERMEDIATE, name, image_id),
    )


def acquire_lease(image_id: str, name: str) -> db.Row | None:
    """Lease a variant, to render it.

    Returns:
        ``lease_token`` and ``is_exhausted``: if True, no attempt is left, so mark it as failed and do not
        render it. None if it is leased or ready, or the image does not exist.
    """
    # FOR KEY SHARE waits for a deletion of the image and then finds nothing; without it, the insert would
    # violate the foreign key.
    return db.query_one(
        """INSERT INTO image_variants AS variant (image_id, name, lease_until)
           SELECT id, %(name)s, now() + make_interval(secs => %(lease)s)
           FROM image_metadata WHERE id = %(id)s FOR KEY SHARE
           ON CONFLICT (image_id, name) DO UPDATE
           SET status = 'pending', failure = NULL, lease_until = excluded.lease_until,
               lease_token = nextval('lease_tokens'), attempts = variant.attempts + 1
           WHERE variant.status <> 'ready' AND variant.lease_until < now()
           RETURNING lease_token, attempts > %(max_attempts)s AS is_exhausted""",
        {"id": image_id, "name": name, "lease": LEASE_SECONDS, "max_attempts": MAX_ATTEMPTS},
    )


def mark_ready(image_id: str, name: str, token: int) -> bool:
    """Mark a variant as ready, after its object is stored. Returns False if the lease was lost."""
    ready = db.query(
        """UPDATE image_variants SET status = 'ready'
           WHERE image_id = %s AND name = %s AND lease_token = %s AND status = 'pending' RETURNING name""",
        (image_id, name, token),
    )
    return bool(ready)


def mark_failed(image_id: str, name: str, token: int, failure: str) -> None:
    """Record why a variant failed. Its lease blocks retries for the backoff."""
    db.query(
        """UPDATE image_variants SET status = 'failed', failure = %s,
               lease_until = now() + make_interval(secs => least(%s * %s ^ least(attempts - 1, 10), %s))
           WHERE image_id = %s AND name = %s AND lease_token = %s AND status = 'pending'""",
        (failure, RETRY_SECONDS, RETRY_FACTOR, MAX_RETRY_SECONDS, image_id, name, token),
    )


def release_lease(image_id: str, name: str, token: int) -> None:
    """Release a variant whose object may be stored, for the next request or the sweep. This attempt does not
    count.
    """
    db.query(
        """UPDATE image_variants SET lease_until = now(), attempts = attempts - 1
           WHERE image_id = %s AND name = %s AND lease_token = %s AND status = 'pending'""",
        (image_id, name, token),
    )


def remove(image_id: str, name: str, token: int) -> None:
    """Remove the row of a pending variant, after its object."""
    db.query(
        """DELETE FROM image_variants
           WHERE image_id = %s AND name = %s AND lease_token = %s AND status = 'pending'""",
        (image_id, name, token),
    )


def remove_lost(lost: Sequence[db.Row]) -> None:
    """Remove the rows (from :func:`find_between`) of ready variants whose objects are missing, so that they
    are rendered again. Skips variants that were rendered again since.
    """
    db.query(
        """DELETE FROM image_variants
           WHERE status = 'ready' AND (image_id, name, lease_token)
                 IN (SELECT * FROM unnest(%s::uuid[], %s::text[], %s::bigint[]))""",
        tuple([row[column] for row in lost] for column in ("image_id", "name", "lease_token")),
    )


def find_statuses(names: Sequence[Name]) -> dict[Name, str]:
    """The status of each variant with a row."""
    found = db.query(
        """SELECT image_id, name, status FROM image_variants
           WHERE (image_id, name) IN (SELECT * FROM unnest(%s::uuid[], %s::text[]))""",
        ([image_id for image_id, _ in names], [name for _, name in names]),
    )
    return {(row["image_id"], row["name"]): row["status"] for row in found}


def find_expired(after: Name | None, limit: int) -> list[Name]:
    """The next pending variants, after one, whose lease has expired."""
    found = db.query(
        """SELECT image_id, name FROM image_variants
           WHERE status = 'pending' AND lease_until < now() AND (image_id, name) > (%s, %s)
           ORDER BY image_id, name LIMIT %s""",
        (*(after or (ZERO_ID, "")), limit),
    )
    return [(row["image_id"], row["name"]) for row in found]


def find_between(after: Name, until: str, limit: int) -> list[db.Row]:
    """The first variants after one and up to an image id, in order: ``image_id``, ``name``, ``status``,
    ``lease_token``.
    """
    return db.query(
        """SELECT image_id, name, status, lease_token FROM image_variants
           WHERE (image_id, name) > (%s, %s) AND image_id <= %s ORDER BY image_id, name LIMIT %s""",
        (*after, until, limit),
    )
