"""The sweep: settles what crashes left behind, and tells what it cannot settle.

It may run beside live traffic, and two at once do no harm: every row is claimed by a conditional UPDATE
before anything of it is touched, and objects are only removed when they are older than any request can be.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from imageapi import db, rows, storage
from imageapi.errors import AppError, ConflictError, UnprocessableError, UnsupportedMediaTypeError
from imageapi.facets import fold_changes
from imageapi.incoming import complete_upload

OBJECT_GRACE = timedelta(hours=2)
"""Younger objects are left alone: longer than a presigned form lives."""
BATCH = 500
REPORTED = 100
"""At most so many ids or keys of each kind are listed in a report; the counts are complete."""


@dataclass
class Report:
    """What a sweep found, and (unless it was a dry run) did."""

    dry_run: bool
    finished: int = 0
    """Uploads whose file had arrived: now ready."""
    undone: int = 0
    """Uploads that never arrived or failed, and deletions that were cut off: row and objects removed."""
    variants_removed: int = 0
    """Renditions that were begun and never finished."""
    orphan_objects: int = 0
    """Objects without a row: removed."""
    missing_objects: int = 0
    """Ready rows whose object is gone: only reported, since only a person can tell what to do."""
    failed: int = 0
    """Rows that could not be settled this time; the next sweep tries again."""
    orphan_keys: list[str] = field(default_factory=list)
    missing_ids: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def sweep(*, dry_run: bool, object_grace: timedelta = OBJECT_GRACE) -> Report:
    """Settle every row and object that is older than what could still be at work.

    Args:
        dry_run: only count.
        object_grace: how old an object without a row must be.

    Raises:
        DatabaseUnavailableError, StorageUnavailableError: stopped half way; nothing is half done.
    """
    report = Report(dry_run)
    _settle_rows(report)
    _settle_variants(report)
    _compare_stores(report, datetime.now(UTC) - object_grace)
    fold_changes()
    return report


def sweep_event(event: dict[str, Any]) -> dict[str, Any]:
    """Run :func:`sweep` as an event says: ``{"dry_run": bool, "object_grace_seconds": int}``, both
    optional.
    """
    grace = timedelta(seconds=int(event.get("object_grace_seconds", OBJECT_GRACE.total_seconds())))
    return sweep(dry_run=bool(event.get("dry_run", False)), object_grace=grace).to_dict()


def _settle_rows(report: Report) -> None:
    after = str(UUID(int=0))
    while True:
        batch = db.query(
            """SELECT id, status FROM image_metadata
               WHERE status <> 'ready' AND sweep_after < now() AND id > %s ORDER BY id LIMIT %s""",
            (after, BATCH),
        )
        for row in batch:
            _settle_row(row, report)
        if len(batch) < BATCH:
            return
        after = batch[-1]["id"]


def _settle_row(row: db.Row, report: Report) -> None:
    if report.dry_run:
        arrived = row["status"] == "pending" and storage.object_exists(storage.incoming_key(row["id"]))
        report.finished += arrived
        report.undone += not arrived
        return
    try:
        if row["status"] == "pending" and _finish(row["id"]):
            report.finished += 1
        elif rows.remove(row["id"], ["pending", "failed", "deleting"]):
            report.undone += 1
    except AppError:
        report.failed += 1


def _finish(image_id: str) -> bool:
    """Try to finish an upload; False when it is to be undone."""
    try:
        complete_upload(image_id)
    except (ConflictError, UnprocessableError, UnsupportedMediaTypeError):
        return False
    return True


def _settle_variants(report: Report) -> None:
    stale = db.query(
        """SELECT image_id, name FROM image_variants
           WHERE status = 'pending' AND claimed_until < now() LIMIT %s""",
        (BATCH,),
    )
    for variant in stale:
        if not report.dry_run:
            # The claim is taken over first: nobody renders while the object goes.
            taken = db.query(
                """UPDATE image_variants SET claimed_until = now() + interval '1 minute'
                   WHERE image_id = %s AND name = %s AND status = 'pending' AND claimed_until < now()
                   RETURNING name""",
                (variant["image_id"], variant["name"]),
            )
            if not taken:
                continue
            storage.delete_objects([storage.variant_key(variant["image_id"], variant["name"])])
            db.query(
                "DELETE FROM image_variants WHERE image_id = %s AND name = %s AND status = 'pending'",
                (variant["image_id"], variant["name"]),
            )
        report.variants_removed += 1


def _compare_stores(report: Report, older_than: datetime) -> None:
    """Walk objects and rows side by side, a page at a time."""
    for prefix in ("incoming/", "originals/", "variants/"):
        for page in storage.list_objects(prefix):
            orphans = sorted(_find_orphans([key for key, modified in page if modified < older_than]))
            report.orphan_objects += len(orphans)
            report.orphan_keys += orphans[: REPORTED - len(report.orphan_keys)]
            if orphans and not report.dry_run:
                storage.delete_objects(orphans)
    for missing in _find_missing():
        report.missing_objects += 1
        if len(report.missing_ids) < REPORTED:
            report.missing_ids.append(missing)


def _find_orphans(keys: list[str]) -> set[str]:
    """The keys that no row accounts for."""
    if not keys:
        return set()
    owned = db.query(
        """SELECT s3_key AS key FROM image_metadata WHERE s3_key = ANY(%(keys)s)
           UNION SELECT 'incoming/' || id FROM image_metadata
                 WHERE status <> 'ready' AND id = ANY(%(ids)s::uuid[])
           UNION SELECT 'variants/' || image_id || '/' || name FROM image_variants
                 WHERE image_id = ANY(%(ids)s::uuid[])""",
        {"keys": keys, "ids": sorted({i for i in map(_id_of, keys) if i})},
    )
    return set(keys) - {row["key"] for row in owned}


def _id_of(key: str) -> str | None:
    part = key.split("/")[1].partition(".")[0]
    return part if rows.ID.fullmatch(part) else None


def _find_missing() -> Iterator[str]:
    """Ids of ready rows whose original is not in the store. Both sides come in the order of their keys."""
    objects = (key for page in storage.list_objects("originals/") for key, _ in page)
    current = next(objects, None)
    after = ""
    while True:
        batch = db.query(
            """SELECT id, s3_key FROM image_metadata
               WHERE status = 'ready' AND s3_key > %s ORDER BY s3_key LIMIT %s""",
            (after, BATCH),
        )
        for row in batch:
            while current is not None and current < row["s3_key"]:
                current = next(objects, None)
            if current != row["s3_key"] and _is_still_missing(row):
                yield row["id"]
        if len(batch) < BATCH:
            return
        after = batch[-1]["s3_key"]


def _is_still_missing(row: db.Row) -> bool:
    """An image that came after its part of the bucket was listed, or that has gone since, is not missing."""
    if storage.object_exists(row["s3_key"]):
        return False
    now = rows.find(row["id"])
    return now is not None and now["status"] == "ready"
