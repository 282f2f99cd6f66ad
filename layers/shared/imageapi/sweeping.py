"""The sweep: settles what crashes left behind, and tells what it cannot settle.

It may run beside live traffic, and two at once do no harm: every row is claimed by a conditional UPDATE
before anything of it is touched, and objects are only removed when they are older than any request can be.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from imageapi import db, orphans, rows, storage, variant_rows
from imageapi.comparing import LAST_KEY, compare_stores
from imageapi.errors import AppError, ConflictError
from imageapi.facets import fold_changes
from imageapi.incoming import complete_upload
from imageapi.logs import get_logger

OBJECT_GRACE = timedelta(hours=2)
"""Younger objects are left alone: longer than a presigned form lives."""
MAX_ATTEMPTS = 3
"""An upload that could not be finished so often (because it ended the process, say) is undone."""
SPARE_MILLISECONDS = 60_000
"""When so little of the function's time is left, no row is begun and a comparison stops; the next sweep goes
on from there.
"""
BATCH = 500
REPORTED = 100
"""At most so many ids or keys of each kind are listed in a report; the counts are complete."""


class Count(StrEnum):
    """What a sweep counts."""

    FINISHED = "finished"
    """Uploads whose file had arrived: now ready."""
    UNDONE = "undone"
    """Uploads that never arrived or failed, and deletions that were cut off: row and objects removed."""
    REFUSED = "refused"
    """Uploads whose file had arrived and was refused: the row says why for a day."""
    FAILED = "failed"
    """Rows that could not be settled this time; the next sweep tries again."""
    VARIANTS_REMOVED = "variants_removed"
    """Renditions that were begun and never finished."""
    VARIANTS_LOST = "variants_lost"
    """Ready renditions whose object is gone: forgotten, so that they can be made again; reduced copies are
    not.
    """
    ORPHAN_OBJECTS = "orphan_objects"
    """Objects without a row: removed, unless a crash cannot have left them."""
    ORPHANS_KEPT = "orphans_kept"
    """The same when a crash cannot have left them."""
    MISSING_OBJECTS = "missing_objects"
    """Ready rows whose object is gone: only reported, since only a person can tell what to do."""


@dataclass
class Report:
    """What a sweep found, and (unless it was a dry run) did."""

    dry_run: bool
    counts: Counter[Count] = field(default_factory=Counter)
    rows_left: bool = False
    """Time ran out before all rows were looked at."""
    orphan_keys: list[str] = field(default_factory=list)
    missing_ids: list[str] = field(default_factory=list)
    compared_until: str = ""
    """The key up to which objects were compared with rows, when time ran out before the end."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, each count by its name."""
        values = asdict(self)
        del values["counts"]
        return values | {count.value: self.counts[count] for count in Count}


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
        has_time: whether there is time for another row or another part of the bucket. Where it ends, the next
            one goes on; a dry run always looks from the beginning.

    Raises:
        DatabaseUnavailableError, StorageUnavailableError: stopped half way; nothing is half done.
    """
    report = Report(dry_run)
    fold_changes()
    _settle_each(_find_unsettled(), _foresee if dry_run else _settle_row, report, has_time)
    _settle_each(_find_expired_variants(), _foresee_variant if dry_run else _settle_variant, report, has_time)
    if compare:
        _settle_differences(report, datetime.now(UTC) - object_grace, has_time, force)
    return report


def _settle_each(
    found: Iterator[db.Row],
    settle: Callable[[db.Row], Count | None],
    report: Report,
    has_time: Callable[[], bool],
) -> None:
    """Settle one row after another, of either table, and count what becomes of them."""
    for row in found:
        if not has_time():
            report.rows_left = True
            return
        outcome = settle(row)
        if outcome:
            report.counts[outcome] += 1


def _in_batches(find: Callable[[db.Row | None], list[db.Row]]) -> Iterator[db.Row]:
    """All rows, read BATCH at a time.

    Args:
        find: reads the next ones after a row, or the first ones.
    """
    last = None
    while True:
        batch = find(last)
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1]


def _find_unsettled() -> Iterator[db.Row]:
    def find(last: db.Row | None) -> list[db.Row]:
        after = (last["sweeps"], last["id"]) if last else (0, str(UUID(int=0)))
        # One that took all the time of a sweep comes behind those that have not been tried as often.
        return db.query(
            """SELECT id, status, sweeps FROM image_metadata
               WHERE status <> 'ready' AND sweep_after < now() AND (sweeps, id) > (%s, %s)
               ORDER BY sweeps, id LIMIT %s""",
            (*after, BATCH),
        )

    return _in_batches(find)


def _foresee(row: db.Row) -> Count:
    arrived = row["status"] == "pending" and storage.object_exists(storage.incoming_key(row["id"]))
    return Count.FINISHED if arrived else Count.UNDONE


def _settle_row(row: db.Row) -> Count | None:
    """None when it has been settled meanwhile, or taken up again."""
    claimed = db.query(
        """UPDATE image_metadata SET sweep_after = now() + interval '1 hour', sweeps = sweeps + 1
           WHERE id = %s AND status <> 'ready' AND sweep_after < now()
           RETURNING id, status, sweeps, sweep_after""",
        (row["id"],),
    )
    return _attempt(_finish_or_undo, claimed[0], image_id=row["id"]) if claimed else None


def _attempt(settle: Callable[[db.Row], Count | None], row: db.Row, **facts: str) -> Count | None:
    """Settle one row of either table; one that fails must not keep the others from being settled.

    Args:
        facts: what the log calls it.
    """
    try:
        return settle(row)
    except AppError as error:  # a store does not answer
        get_logger().warning("a row could not be settled", extra=facts, exc_info=error)
    except Exception:
        get_logger().exception("a row could not be settled", extra=facts)
    return Count.FAILED


def _finish_or_undo(row: db.Row) -> Count | None:
    try:
        if row["status"] == "pending" and row["sweeps"] <= MAX_ATTEMPTS:
            outcome = _finish(row["id"])
        else:
            outcome = Count.UNDONE
        if outcome == Count.UNDONE and not rows.remove(
            row["id"], ["pending", "failed", "deleting"], claim=row["sweep_after"]
        ):
            return None
    except AppError:  # a store does not answer: that was no attempt
        with suppress(AppError):
            db.query("UPDATE image_metadata SET sweeps = sweeps - 1 WHERE id = %s", (row["id"],))
        raise
    return outcome


def _finish(image_id: str) -> Count:
    """Try to finish an upload; tells what came of it."""
    try:
        complete_upload(image_id)
    except ConflictError:
        return Count.UNDONE
    except AppError as error:
        if error.status >= 500:
            raise
        return Count.REFUSED
    return Count.FINISHED


def _find_expired_variants() -> Iterator[db.Row]:
    def find(last: db.Row | None) -> list[db.Row]:
        return variant_rows.find_expired((last["image_id"], last["name"]) if last else None, BATCH)

    return _in_batches(find)


def _foresee_variant(_: db.Row) -> Count:
    return Count.VARIANTS_REMOVED


def _settle_variant(row: db.Row) -> Count | None:
    """None when somebody else is at it."""
    # The claim is taken over first: nobody renders while the object goes.
    if not variant_rows.take_over(row["image_id"], row["name"]):
        return None
    return _attempt(_remove_variant, row, image_id=row["image_id"], variant=row["name"])


def _remove_variant(row: db.Row) -> Count:
    storage.delete_objects([storage.variant_key(row["image_id"], row["name"])])
    variant_rows.abandon(row["image_id"], row["name"])
    return Count.VARIANTS_REMOVED


def _settle_differences(
    report: Report, older_than: datetime, has_time: Callable[[], bool], force: bool
) -> None:
    found: list[str] = []
    originals = 0
    for part in compare_stores(older_than, "" if report.dry_run else _read_progress()):
        originals += part.originals
        found += part.orphans
        report.counts[Count.MISSING_OBJECTS] += len(part.missing)
        report.counts[Count.VARIANTS_LOST] += len(part.lost)
        report.missing_ids += part.missing[: REPORTED - len(report.missing_ids)]
        report.compared_until = "" if part.end == LAST_KEY else part.end
        if not report.dry_run:
            if part.lost:
                variant_rows.delete_lost(part.lost)
            # Each time: what ends this function must not have the next sweep begin where this one did. But a
            # sweep that comes after it has to find the orphans that this one had not yet removed.
            if not found:
                _write_progress(report.compared_until)
        if report.compared_until and not has_time():
            break
    else:
        report.compared_until = ""
    _settle_orphans(report, found, originals, has_time, force)
    if not report.dry_run:
        _write_progress(report.compared_until)


def _settle_orphans(
    report: Report, found: list[str], originals: int, has_time: Callable[[], bool], force: bool
) -> None:
    report.counts[Count.ORPHAN_OBJECTS] = len(found)
    report.orphan_keys = found[:REPORTED]
    if not found:
        return
    if not force and not orphans.are_crashes_doing(found, originals):
        report.counts[Count.ORPHANS_KEPT] = len(found)
    elif not report.dry_run:
        removed = orphans.remove_orphans(found, has_time)
        if removed < len(found):  # the next sweep finds the others again
            report.compared_until = found[removed - 1]


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
