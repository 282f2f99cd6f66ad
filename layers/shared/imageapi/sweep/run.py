"""Run a sweep."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from imageapi.catalog import batches, changes, facets, idempotency_keys, sweep_progress, variants
from imageapi.catalog.sweep_progress import Progress
from imageapi.model.idempotency import KEY_DAYS
from imageapi.sweep.compare_stores import compare_stores
from imageapi.sweep.expired_rows import settle_rows
from imageapi.sweep.orphans import Orphans, is_another_bucket
from imageapi.sweep.report import REPORTED, Count, Report
from imageapi.telemetry.logs import get_logger

OBJECT_GRACE = timedelta(hours=2)
"""Younger objects stay. Longer than the validity of a presigned form."""
KEY_BATCH = 10_000
"""Expired Idempotency-Keys that one statement removes."""
SPARE_MILLISECONDS = 60_000
"""If less of the function's time is left, a sweep stops, and the next one resumes."""


def sweep(
    *,
    dry_run: bool,
    compare: bool = True,
    force: bool = False,
    object_grace: timedelta = OBJECT_GRACE,
    has_time: Callable[[], bool] = lambda: True,
) -> Report:
    """Settle all rows and objects that are too old to belong to running work.

    Args:
        dry_run: only count.
        compare: also compare all objects with all rows. A comparison that ran out of time is continued in any
            case, except by a dry run.
        force: remove orphans, however many there are.
        object_grace: minimum age of an orphan.
        has_time: whether there is time for another row or part of the bucket. The next sweep resumes where
            this one stops. A dry run always starts over.

    Raises:
        DatabaseUnavailableError, StorageUnavailableError: stopped early; the next sweep continues.
    """
    report = Report(dry_run, is_another_bucket=is_another_bucket())
    if report.is_another_bucket:
        get_logger().error("no row is settled: the bucket has none of the ten newest images")
        report.counts[Count.FAILED] += 1
    else:
        settle_rows(report, has_time)
    if not dry_run:
        _remove_old_keys(has_time)
        changes.number_all()
        facets.apply_changes()
    progress = Progress() if dry_run else sweep_progress.read()
    if compare or progress.compared_until:
        _settle_differences(report, progress, datetime.now(UTC) - object_grace, has_time, force)
    return report


def _remove_old_keys(has_time: Callable[[], bool]) -> None:
    """Remove Idempotency-Keys after KEY_DAYS."""
    oldest_key = int((time.time() - KEY_DAYS * 86_400) * 1000)
    while idempotency_keys.remove_before(oldest_key, KEY_BATCH) and has_time():
        pass
    while batches.remove_before(KEY_DAYS, KEY_BATCH) and has_time():
        pass


def _settle_differences(
    report: Report, progress: Progress, older_than: datetime, has_time: Callable[[], bool], force: bool
) -> None:
    orphans = Orphans(report, force=force, kept_before=progress.has_kept_orphans)
    for part in compare_stores(older_than, progress.compared_until):
        orphans.add(part)
        report.counts[Count.MISSING_OBJECTS] += len(part.missing)
        report.counts[Count.VARIANTS_LOST] += len(part.lost)
        report.missing_ids += part.missing[: REPORTED - len(report.missing_ids)]
        report.compared_until = "" if part.is_last else part.end
        if part.lost and not report.dry_run and not report.is_another_bucket:
            variants.remove_lost(part.lost)
        # Written after each part, so that the next sweep resumes here if this function crashes. Not while
        # orphans are undecided: the next sweep must find those again.
        if not report.dry_run and not orphans.is_waiting:
            sweep_progress.write(Progress(report.compared_until, orphans.has_kept))
        if not part.is_last and not has_time():
            break
    orphans.judge()
    if not report.dry_run:
        sweep_progress.write(Progress(report.compared_until, orphans.has_kept))
