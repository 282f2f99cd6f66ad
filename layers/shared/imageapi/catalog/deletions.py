"""The table ``deletions``: deleted images whose objects still exist."""

from collections.abc import Collection, Sequence

from imageapi.database import db
from imageapi.model.ids import ZERO_ID

LEASE_SECONDS = 60
"""Time to remove the objects; then the sweep may take over."""


# Sent as one message: one transaction, which no client can leave open. Locking the image first keeps variants
# from being added.
_BEGIN = """
    SELECT 1 FROM image_metadata WHERE id = %(id)s FOR UPDATE;
    INSERT INTO deletions (image_id, s3_key, variants, lease_until)
        SELECT id, s3_key, ARRAY(SELECT name FROM image_variants WHERE image_id = %(id)s),
               now() + make_interval(secs => %(lease)s)
        FROM image_metadata WHERE id = %(id)s AND version = ANY(coalesce(%(versions)s, ARRAY[version]));
    DELETE FROM image_metadata USING deletions WHERE id = %(id)s AND image_id = id;
    DELETE FROM idempotency_keys USING deletions
        WHERE idempotency_keys.image_id = %(id)s AND deletions.image_id = %(id)s;
    SELECT image_id, s3_key, variants FROM deletions WHERE image_id = %(id)s"""


def begin(image_id: str, versions: Sequence[int] | None) -> db.Row | None:
    """Turn an image into a deletion. Its variants, analysis and Idempotency-Key are removed with its row.

    Args:
        versions: only if the image is at one of these.

    Returns:
        ``image_id``, ``s3_key`` and ``variants`` (names) of the deletion, new or unfinished; None if there
        is neither image nor deletion, or the image is at another version.
    """
    rows = db.change(_BEGIN, {"id": image_id, "versions": versions, "lease": LEASE_SECONDS})
    return rows[0] if rows else None


def acquire_lease(image_id: str) -> db.Row | None:
    """Take over a deletion whose lease has expired; returns as :func:`begin`."""
    rows = db.query(
        """UPDATE deletions SET lease_until = now() + make_interval(secs => %s)
           WHERE image_id = %s AND lease_until < now() RETURNING image_id, s3_key, variants""",
        (LEASE_SECONDS, image_id),
    )
    return rows[0] if rows else None


def finish(image_id: str) -> None:
    """Remove a deletion, after its objects."""
    db.query("DELETE FROM deletions WHERE image_id = %s", (image_id,))


def find_expired(after: str | None, limit: int) -> list[str]:
    """The next image ids, after one, whose deletion has an expired lease."""
    rows = db.query(
        """SELECT image_id FROM deletions WHERE lease_until < now() AND image_id > %s
           ORDER BY image_id LIMIT %s""",
        (after or ZERO_ID, limit),
    )
    return [row["image_id"] for row in rows]


def find_pending(image_ids: Collection[str]) -> set[str]:
    """The subset of ids with an unfinished deletion."""
    rows = db.query("SELECT image_id FROM deletions WHERE image_id = ANY(%s::uuid[])", (list(image_ids),))
    return {row["image_id"] for row in rows}
