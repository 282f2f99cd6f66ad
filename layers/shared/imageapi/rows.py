"""The life of a row: pending, ready, deleting, gone. Everything that adds or removes an image goes through
here.

The row comes first and goes last: an object is written only under a key that a committed row names, and a
row is removed only after its objects are. So after a crash a sweep can finish or undo. An object without a
row is left only by a writer that was killed just after a sweep had removed its row.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg2.extras
import uuid_utils
from aws_lambda_powertools.metrics import MetricUnit

from imageapi import analysis_queue, db, searching, storage, variant_rows
from imageapi.errors import UploadInterruptedError
from imageapi.metadata import Metadata
from imageapi.metrics import add_metric
from imageapi.moments import milliseconds_of

if TYPE_CHECKING:  # list uses this module, and importing Pillow would double its cold start
    from imageapi.imaging import Picture

COLUMNS = (
    "id, status, failure, version, title, description, category, tags, filename, s3_key, mime_type,"
    " size_bytes, width, height, frames, encode(sha256, 'hex') AS sha256, duplicate_of, placeholder,"
    " exif, created_at, updated_at"
)
"""The columns of a row as the rest of the package knows it."""

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
TITLE_KEY_LENGTH = 100
"""In characters: lists are sorted by the beginning of a title only, since cursors contain it."""

_INSERT_PENDING = f"""
    INSERT INTO image_metadata (id, status, title, description, category, tags, filename, s3_key, mime_type,
                                size_bytes, sha256, idempotency_key, request_hash, created_at, updated_at,
                                sweep_after)
    VALUES (%(id)s, 'pending', %(title)s, %(description)s, %(category)s, %(tags)s, %(filename)s, %(s3_key)s,
            %(mime_type)s, %(size_bytes)s, %(sha256)s, %(idempotency_key)s, %(request_hash)s,
            %(created_at)s, %(created_at)s, now() + make_interval(secs => %(lease_seconds)s))
    ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING {COLUMNS}"""

# Two statements in one round trip, and one transaction. Without taking turns, two copies that come at once
# would each not see the other as its duplicate.
_MARK_READY = f"""
    SELECT pg_advisory_xact_lock(%(lock)s);
    UPDATE image_metadata AS image
    SET status = 'ready', sha256 = %(sha256)s, width = %(width)s, height = %(height)s, frames = %(frames)s,
        placeholder = %(placeholder)s, exif = %(exif)s, updated_at = now(),
        search_text = %(search_text)s, strong_length = %(strong_length)s, tokens = %(tokens)s,
        tag_keys = %(tag_keys)s, title_key = %(title_key)s,
        duplicate_of = (SELECT other.id FROM image_metadata AS other
                        WHERE other.sha256 = %(sha256)s AND other.status = 'ready'
                        ORDER BY other.id LIMIT 1)
    WHERE id = %(id)s AND status = 'pending'
    RETURNING {COLUMNS}"""


@dataclass(frozen=True)
class NewImage:
    """An image whose object has not been stored yet."""

    id: str
    created_at: datetime
    metadata: Metadata
    filename: str
    s3_key: str
    mime_type: str
    size_bytes: int
    sha256: bytes | None
    idempotency_key: str | None
    request_hash: bytes
    lease_seconds: int
    """How long the sweep leaves the pending row alone."""


@dataclass(frozen=True)
class Stored:
    """What became of an upload: the row, and whether this request made it."""

    row: db.Row
    created: bool


def find(image_id: str) -> db.Row | None:
    """The row, whatever its status; None when there is none."""
    rows = db.query(f"SELECT {COLUMNS} FROM image_metadata WHERE id = %s", (image_id,))
    return rows[0] if rows else None


def insert_pending(new: NewImage, cursor: db.Cursor | None = None) -> db.Row | None:
    """Write the row of a new image.

    Args:
        cursor: of a transaction; without one, the row is committed at once.

    Returns:
        The row; None when another has the same Idempotency-Key (see ``idempotency.resume``).
    """
    values = {**vars(new), **asdict(new.metadata), "tags": list(new.metadata.tags)}
    del values["metadata"]
    rows = db.fetch(cursor, _INSERT_PENDING, values) if cursor else db.query(_INSERT_PENDING, values)
    return rows[0] if rows else None


def mark_ready(row: db.Row, picture: "Picture", sha256: bytes) -> db.Row:
    """Make an image ready, after its object has been stored.

    Returns:
        The ready row. Another request with the same Idempotency-Key may have made it ready before.

    Raises:
        UploadInterruptedError: a sweep has undone the row; the object is removed again.
    """
    values = {
        "id": row["id"],
        "lock": content_lock(sha256),
        "sha256": sha256,
        "width": picture.width,
        "height": picture.height,
        "frames": picture.frames,
        "placeholder": picture.placeholder,
        "exif": psycopg2.extras.Json(picture.exif),
        **search_values({**row, "width": picture.width, "height": picture.height}),
    }
    ready = db.query(_MARK_READY, values)
    if ready:
        add_metric("Uploads")
        add_metric("UploadedBytes", ready[0]["size_bytes"], MetricUnit.Bytes)
        analysis_queue.enqueue(row["id"])
        return ready[0]
    now = find(row["id"])
    if now and now["status"] == "ready":
        return now
    storage.delete_objects([row["s3_key"]])
    raise UploadInterruptedError()


def content_lock(sha256: bytes) -> int:
    """The key of the advisory lock that serialises uploads of the same bytes."""
    return int.from_bytes(sha256[:8], "big", signed=True)


def search_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that searches use, made from the other columns."""
    everything, strong = searching.make_search_text(row)
    return {
        "search_text": everything,
        "strong_length": len(strong),
        "tokens": searching.make_tokens(row),
        "tag_keys": list(dict.fromkeys(searching.normalise_tag(tag) for tag in row["tags"])),
        "title_key": searching.normalise(row["title"])[:TITLE_KEY_LENGTH],
    }


def new_id() -> tuple[str, datetime]:
    """A new id (UUIDv7, RFC 9562) and the time in it, to the millisecond."""
    made = UUID(str(uuid_utils.uuid7()))
    return str(made), datetime.fromtimestamp(milliseconds_of(made) / 1000, UTC)


def remove(
    image_id: str,
    statuses: Sequence[str],
    versions: Sequence[int] | None = None,
    claim: datetime | None = None,
) -> bool:
    """Remove an image for good: hide it, delete its objects, then its row.

    Args:
        statuses: only when the row is in one of these.
        versions: only when the row is at one of these.
        claim: only when the row's ``sweep_after`` still is this, so that no other request works on it.

    Returns:
        False when there was no such row.

    Raises:
        DatabaseUnavailableError, StorageUnavailableError: not finished. The image is hidden; the same call
            or a sweep finishes.
    """
    claimed = db.query(
        """UPDATE image_metadata
           SET status = 'deleting', idempotency_key = NULL, updated_at = now(),
               sweep_after = now() + interval '1 minute'
           WHERE id = %s AND status = ANY(%s) AND version = ANY(coalesce(%s, ARRAY[version]))
             AND sweep_after = coalesce(%s, sweep_after) RETURNING s3_key, sha256""",
        (image_id, list(statuses), versions, claim),
    )
    if not claimed:
        return False
    # Only now. A rendition whose row comes later still sees, when it is done, that the image is gone, and
    # removes its own object.
    names = variant_rows.find_names(image_id)
    keys = [claimed[0]["s3_key"], storage.incoming_key(image_id)]
    keys += [storage.variant_key(image_id, name) for name in names]
    storage.delete_objects(list(dict.fromkeys(keys)))
    sha256 = claimed[0]["sha256"]
    # Under the lock of mark_ready: a copy that turns ready meanwhile must not take this one for its original.
    # Both statements are sent together, and so are one transaction.
    db.query(
        """SELECT pg_advisory_xact_lock(%s);
           WITH gone AS (DELETE FROM image_metadata WHERE id = %s AND status = 'deleting'
                         RETURNING id, sha256)
           UPDATE image_metadata AS other SET duplicate_of = NULL
           FROM gone WHERE other.sha256 = gone.sha256 AND other.duplicate_of = gone.id""",
        (content_lock(bytes(sha256)) if sha256 else 0, image_id),
    )
    return True
