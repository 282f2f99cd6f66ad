"""The table ``pending_removals``: images whose objects must still be removed.

For a deleted image, that is all objects. For an image in the trash, only its variants; ``s3_key`` is None.
"""

from collections.abc import Collection, Sequence

from imageapi.database import db, locks
from imageapi.model.ids import ZERO_ID

LEASE_SECONDS = 60
"""Time to remove the objects before the sweep may take over. Longer than any function works on one."""

COLUMNS = "image_id, s3_key, variants, lease_token"
"""The columns that callers see; ``variants`` contains names."""

# Moves of one image between tables take turns. Sorted keys prevent a deadlock of two batches.
LOCK_MOVES = f"""
    SELECT pg_advisory_xact_lock({locks.MOVES}, key) FROM (
        SELECT hashtext(id) AS key FROM unnest(%(ids)s::text[]) AS id ORDER BY 1) AS keys;"""

# Prevents new variants.
LOCK_IMAGES = """
    SELECT 1 FROM image_metadata WHERE id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE;"""

REMOVE_KEYS = """
    DELETE FROM idempotency_keys AS key USING pending_removals AS removal
        WHERE key.subject_id = removal.image_id AND removal.image_id = ANY(%(ids)s::uuid[]);"""

_LEASE = "now() + make_interval(secs => %(lease)s)"

NOTE_VARIANTS = f"ARRAY(SELECT name FROM image_variants WHERE image_id = image.id), {_LEASE}"
"""``variants`` and ``lease_until`` of a new removal of ``image_metadata AS image``."""

# Leases removals whose lease has expired.
TAKE_OVER = f"""
    UPDATE pending_removals SET lease_until = {_LEASE}, lease_token = nextval('lease_tokens')
        WHERE image_id = ANY(%(ids)s::uuid[]) AND lease_until < now()"""

# Only removals that this transaction has leased. When another process finishes its removal, the image may be
# restored, and removing its objects again would remove new variants.
FIND_LEASED = f"""
    SELECT {COLUMNS} FROM pending_removals
        WHERE image_id = ANY(%(ids)s::uuid[]) AND pending_removals.xmin = pg_current_xact_id()::xid"""

_DELETE_IMAGES = f"""
    INSERT INTO pending_removals (image_id, s3_key, variants, lease_until)
        SELECT id, s3_key, {NOTE_VARIANTS} FROM image_metadata AS image
        WHERE id = ANY(%(ids)s::uuid[]) AND version = ANY(coalesce(%(versions)s, ARRAY[version]));
    DELETE FROM image_metadata USING pending_removals WHERE id = image_id AND id = ANY(%(ids)s::uuid[]);"""

# If the removal of the variants is not finished, it also gets the original.
_DELETE_TRASHED = f"""
    INSERT INTO pending_removals (image_id, s3_key, variants, lease_until)
        SELECT id, s3_key, '{{}}', {_LEASE} FROM trashed_images
        WHERE id = ANY(%(ids)s::uuid[]) AND version = ANY(coalesce(%(versions)s, ARRAY[version]))
          AND (purge_after < now() OR NOT %(expired)s)
        ON CONFLICT (image_id) DO UPDATE SET s3_key = excluded.s3_key, lease_until = excluded.lease_until,
            lease_token = excluded.lease_token;
    DELETE FROM trashed_images AS trashed USING pending_removals
        WHERE id = image_id AND pending_removals.s3_key IS NOT NULL AND id = ANY(%(ids)s::uuid[]);"""

# Sent as one message, it is one transaction that no client can leave open.
_BEGIN = f"""{LOCK_MOVES}{TAKE_OVER} AND s3_key IS NOT NULL;
    {LOCK_IMAGES}{_DELETE_IMAGES}{_DELETE_TRASHED}{REMOVE_KEYS}{FIND_LEASED}"""
_BEGIN_EXPIRED = f"{LOCK_MOVES}{_DELETE_TRASHED}{FIND_LEASED}"
_ADD_VARIANT = f"""{LOCK_MOVES}
    WITH added AS (
        UPDATE pending_removals SET variants = variants || %(variants)s WHERE image_id = ANY(%(ids)s::uuid[])
        RETURNING image_id)
    INSERT INTO pending_removals (image_id, variants, lease_until)
        SELECT id, %(variants)s, {_LEASE} FROM trashed_images
        WHERE id = ANY(%(ids)s::uuid[]) AND NOT EXISTS (SELECT FROM added)
        RETURNING {COLUMNS}"""


def begin(
    image_ids: Collection[str], versions: Sequence[int] | None = None, cursor: db.Cursor | None = None
) -> list[db.Row]:
    """Turn images, in the trash or not, into removals. Their variants, analyses and Idempotency-Keys are
    removed with their rows.

    Args:
        versions: skip images at other versions.

    Returns:
        The removals, leased: new ones, and unfinished ones whose lease has expired. Each has ``image_id``,
        ``s3_key``, ``variants`` and ``lease_token``.
    """
    return db.query_as_actor(_BEGIN, _values(image_ids, versions), cursor)


def begin_expired(image_id: str) -> db.Row | None:
    """Turn an image whose time in the trash is over into a removal, as :func:`begin`. Returns None if it was
    restored.
    """
    return db.query_one_as_actor(_BEGIN_EXPIRED, _values([image_id], None) | {"expired": True})


def add_variant(image_id: str, name: str) -> list[db.Row]:
    """Add a removal for a variant that was stored after its image was moved to the trash.

    Returns:
        A new removal, as :func:`begin`. Empty if the image is not in the trash, or if a removal exists, which
        then includes the variant.
    """
    return db.query(_ADD_VARIANT, {"ids": [image_id], "variants": [name], "lease": LEASE_SECONDS})


def _values(image_ids: Collection[str], versions: Sequence[int] | None) -> dict[str, object]:
    return {"ids": sorted(image_ids), "versions": versions, "lease": LEASE_SECONDS, "expired": False}


def acquire_leases(image_ids: Collection[str]) -> list[db.Row]:
    """Lease removals whose lease has expired. Returns them as :func:`begin`."""
    values = {"ids": list(image_ids), "lease": LEASE_SECONDS}
    return db.query(f"{TAKE_OVER} RETURNING {COLUMNS}", values)


def finish(done: Sequence[db.Row]) -> list[db.Row]:
    """Remove leased removals, after their objects.

    Returns:
        Removals that stay leased because variants were added: remove their objects again.
    """
    ids, tokens = _leases(done)
    # Two statements: a DELETE that waits for a variant to be added sees it. A SELECT in the same statement
    # would see the row as it was before.
    return db.query(
        f"""DELETE FROM pending_removals AS removal
            USING unnest(%(ids)s::uuid[], %(tokens)s::bigint[], %(names)s::integer[])
                AS done (image_id, lease_token, names)
            WHERE removal.image_id = done.image_id AND removal.lease_token = done.lease_token
              AND cardinality(variants) = names;
            SELECT {COLUMNS} FROM pending_removals
            WHERE (image_id, lease_token) IN (SELECT * FROM unnest(%(ids)s::uuid[], %(tokens)s::bigint[]))""",
        {"ids": ids, "tokens": tokens, "names": [len(row["variants"]) for row in done]},
    )


def release_leases(left: Sequence[db.Row]) -> None:
    """Release removals whose objects could not be removed. The next request or sweep continues them."""
    db.query(
        """UPDATE pending_removals SET lease_until = now()
           WHERE (image_id, lease_token) IN (SELECT * FROM unnest(%s::uuid[], %s::bigint[]))""",
        _leases(left),
    )


def _leases(rows: Sequence[db.Row]) -> tuple[list[str], list[int]]:
    return [row["image_id"] for row in rows], [row["lease_token"] for row in rows]


def find_expired(after: str | None, limit: int) -> list[str]:
    """The next image ids, after one, whose removal has an expired lease."""
    rows = db.query(
        """SELECT image_id FROM pending_removals WHERE lease_until < now() AND image_id > %s
           ORDER BY image_id LIMIT %s""",
        (after or ZERO_ID, limit),
    )
    return [row["image_id"] for row in rows]


def find_pending(image_ids: Collection[str]) -> set[str]:
    """The subset of ids with an unfinished removal."""
    rows = db.query(
        "SELECT image_id FROM pending_removals WHERE image_id = ANY(%s::uuid[])", (list(image_ids),)
    )
    return {row["image_id"] for row in rows}
