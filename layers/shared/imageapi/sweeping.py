"""The sweep: settles what crashes left behind, and tells what it cannot settle.

It may run beside live traffic, and two at once do no harm: every row is claimed by a conditional UPDATE
before anything of it is touched, and objects are only removed when they are older than any request can be.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from imageapi import db, rows, storage
from imageapi.comparing import compare_stores, drop_renditions
from imageapi.errors import AppError, ConflictError
from imageapi.facets import fold_changes
from imageapi.incoming import complete_upload
from imageapi.logs import get_logger

OBJECT_GRACE = timedelta(hours=2)
"""Younger objects are left alone: longer than a presigned form lives."""
MAX_ATTEMPTS = 3
"""An upload that could not be finished so often (because it ended the process, say) is undone."""
MAX_ORPHANS, MAX_ORPHAN_SHARE = 100, 0.01
"""More objects without a row than both of these are not crashes' doing: the database is another or an older
one, and they are left alone.
"""
SPARE_MILLISECONDS = 60_000
"""When so little of the function's time is left, no row is begun and a comparison stops; the next sweep goes
on from there.
"""
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
    """Objects without a row: removed, unless they are too many."""
    orphans_kept: int = 0
    """The same when they were too many."""
    missing_objects: int = 0
    """Ready rows whose object is gone: only reported, since only a person can tell what to do."""
    refused: int = 0
    """Uploads whose file had arrived and was refused: the row says why for a day."""
    variants_lost: int = 0
    """Ready renditions whose object is gone: forgotten, so that they are made again."""
    failed: int = 0
    """Rows that could not be settled this time; the next sweep tries again."""
    rows_left: bool = False
    """Time ran out before all rows were looked at."""
    orphan_keys: list[str] = field(default_factory=list)
    missing_ids: list[str] = field(default_factory=list)
    compared_until: str = ""
    """The key up to which objects were compared with rows, when time ran out before the end."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def sweep(
    *,
    dry_run: bool,
    compare: bool = True,
    force: bool = False,
    object_grace: timedelta = OBJECT_GRACE,
    has_time: Callable[[], bool] = lambda: True,
) -> Report:
    """Settle every row and object that is older than what could still be at work.

    Args:
        dry_run: only count.
        compare: also compare all objects with all rows, which takes the longer the more there are.
        force: remove objects without a row however many there are.
        object_grace: how old an object without a row must be.
        has_time: whether there is time for another row or another thousand objects. Where it ends, the next
            one goes on; a dry run always looks from the beginning.

    Raises:
        DatabaseUnavailableError, StorageUnavailableError: stopped half way; nothing is half done.
    """
    report = Report(dry_run)
    fold_changes()
    _settle_rows(report, has_time)
    _settle_variants(report)
    if compare:
        _settle_differences(report, datetime.now(UTC) - object_grace, has_time, force)
    return report


def _settle_rows(report: Report, has_time: Callable[[], bool]) -> None:
    after = (0, str(UUID(int=0)))
    while True:
        # One that took all the time of a sweep comes behind those that have not been tried as often.
        batch = db.query(
            """SELECT id, status, sweeps FROM image_metadata
               WHERE status <> 'ready' AND sweep_after < now() AND (sweeps, id) > (%s, %s)
               ORDER BY sweeps, id LIMIT %s""",
            (*after, BATCH),
        )
        for row in batch:
            if not has_time():
                report.rows_left = True
                return
            if report.dry_run:
                _count_row(row, report)
            else:
                _settle_row(row["id"], report)
        if len(batch) < BATCH:
            return
        after = (batch[-1]["sweeps"], batch[-1]["id"])


def _count_row(row: db.Row, report: Report) -> None:
    arrived = row["status"] == "pending" and storage.object_exists(storage.incoming_key(row["id"]))
    report.finished += arrived
    report.undone += not arrived


def _settle_row(image_id: str, report: Report) -> None:
    claimed = db.query(
        """UPDATE image_metadata SET sweep_after = now() + interval '1 hour', sweeps = sweeps + 1
           WHERE id = %s AND status <> 'ready' AND sweep_after < now()
           RETURNING status, sweeps, sweep_after""",
        (image_id,),
    )
    if not claimed:  # settled meanwhile, or taken up again
        return
    row = claimed[0]
    try:
        if row["status"] == "pending" and row["sweeps"] <= MAX_ATTEMPTS:
            outcome = _finish(image_id)
        else:
            outcome = "undone"
        if outcome == "undone" and not rows.remove(
            image_id, ["pending", "failed", "deleting"], claim=row["sweep_after"]
        ):
            return
        setattr(report, outcome, getattr(report, outcome) + 1)
    except AppError as error:  # a store does not answer: that was no attempt
        get_logger().warning("a row could not be settled", extra={"image_id": image_id}, exc_info=error)
        report.failed += 1
        with suppress(AppError):
            db.query("UPDATE image_metadata SET sweeps = sweeps - 1 WHERE id = %s", (image_id,))
    except Exception:  # one row must not keep the others from being settled
        get_logger().exception("a row could not be settled", extra={"image_id": image_id})
        report.failed += 1


def _finish(image_id: str) -> str:
    """Try to finish an upload; tells which of the report's counts that is."""
    try:
        complete_upload(image_id)
    except ConflictError:
        return "undone"
    except AppError as error:
        if error.status >= 500:
            raise
        return "refused"
    return "finished"


def _settle_variants(report: Report) -> None:
    after = (str(UUID(int=0)), "")
    while True:
        batch = db.query(
            """SELECT image_id, name FROM image_variants
               WHERE status = 'pending' AND claimed_until < now() AND (image_id, name) > (%s, %s)
               ORDER BY image_id, name LIMIT %s""",
            (*after, BATCH),
        )
        for variant in batch:
            if report.dry_run or _settle_variant(variant["image_id"], variant["name"]):
                report.variants_removed += 1
        if len(batch) < BATCH:
            return
        after = (batch[-1]["image_id"], batch[-1]["name"])


def _settle_variant(image_id: str, name: str) -> bool:
    """False when somebody else is at it."""
    # The claim is taken over first: nobody renders while the object goes.
    taken = db.query(
        """UPDATE image_variants SET claimed_until = now() + interval '1 minute'
           WHERE image_id = %s AND name = %s AND status = 'pending' AND claimed_until < now()
           RETURNING name""",
        (image_id, name),
    )
    if not taken:
        return False
    storage.delete_objects([storage.variant_key(image_id, name)])
    db.query(
        "DELETE FROM image_variants WHERE image_id = %s AND name = %s AND status = 'pending'",
        (image_id, name),
    )
    return True


def _settle_differences(
    report: Report, older_than: datetime, has_time: Callable[[], bool], force: bool
) -> None:
    orphans: list[str] = []
    objects = 0
    for stretch in compare_stores(older_than, "" if report.dry_run else _read_progress()):
        if report.compared_until and not has_time():
            break
        objects += stretch.objects
        orphans += stretch.orphans
        report.missing_objects += len(stretch.missing)
        report.variants_lost += len(stretch.lost)
        report.missing_ids += stretch.missing[: REPORTED - len(report.missing_ids)]
        for image_id, name in () if report.dry_run else stretch.lost:
            db.query("DELETE FROM image_variants WHERE image_id = %s AND name = %s", (image_id, name))
        report.compared_until = stretch.end
    else:
        report.compared_until = ""
    report.orphan_objects = len(orphans)
    report.orphan_keys = orphans[:REPORTED]
    if len(orphans) > max(MAX_ORPHANS, objects * MAX_ORPHAN_SHARE) and not force:
        report.orphans_kept = len(orphans)
    elif not report.dry_run:
        for start in range(0, len(orphans), BATCH):
            storage.delete_objects(drop_renditions(orphans[start : start + BATCH]))
    if not report.dry_run:
        _write_progress(report.compared_until)


def _read_progress() -> str:
    """The key after which the comparison goes on."""
    found = db.query("SELECT compared_until FROM sweep_progress")
    return found[0]["compared_until"] if found else ""


def _write_progress(compared_until: str) -> None:
    db.query(
        """INSERT INTO sweep_progress (compared_until) VALUES (%s)
           ON CONFLICT (only_one) DO UPDATE SET compared_until = excluded.compared_until""",
        (compared_until,),
    )
