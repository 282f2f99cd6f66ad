"""Expired rows: images in the trash, and uploads, removals and variants whose lease expired after a crash."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from imageapi.catalog import pending_removals, trash, uploads, variants
from imageapi.database import db
from imageapi.delivery.removals import finish_removals, resume_removals
from imageapi.errors import AppError, ConflictError, NotFoundError, TooComplexError
from imageapi.storage import s3
from imageapi.storage.object_keys import incoming_key, variant_key
from imageapi.sweep.report import Count, Report
from imageapi.telemetry.logs import get_logger
from imageapi.uploads.complete import complete_upload
from imageapi.uploads.undo import remove_failed, undo_expired

T = TypeVar("T")

BATCH = 500


def settle_rows(report: Report, has_time: Callable[[], bool]) -> None:
    """Settle all expired rows while there is time. In a dry run, only count them."""
    _settle_each(trash.find_expired, _purge_image, lambda _: Count.PURGED, report, has_time)
    _settle_each(pending_removals.find_expired, _settle_removal, lambda _: Count.UNDONE, report, has_time)
    _settle_each(variants.find_expired, _settle_variant, _predict_variant, report, has_time)
    # Uploads come last: they take the longest.
    _settle_each(uploads.find_expired, _settle_upload, _predict_upload, report, has_time)


def _settle_each(
    find: Callable[[T | None, int], list[T]],
    settle: Callable[[T], Count | None],
    predict: Callable[[T], Count],
    report: Report,
    has_time: Callable[[], bool],
) -> None:
    """Settle rows one by one and count the outcomes. An error of one row does not stop the others.

    Args:
        find: reads the next rows after one, or the first rows.
        predict: for a dry run, returns the outcome that ``settle`` would have.
    """
    for row in _in_batches(find):
        if not has_time():
            report.rows_left = True
            return
        try:
            outcome = predict(row) if report.dry_run else settle(row)
        except Exception as error:
            is_known = isinstance(error, AppError)  # a store is unavailable
            log = get_logger().warning if is_known else get_logger().error
            log("a row could not be settled", extra={"row": _name(row)}, exc_info=error)
            outcome = Count.FAILED
        if outcome:
            report.counts[outcome] += 1


def _in_batches(find: Callable[[T | None, int], list[T]]) -> Iterator[T]:
    last = None
    while True:
        batch = find(last, BATCH)
        yield from batch
        if len(batch) < BATCH:
            return
        last = batch[-1]


def _name(row: Any) -> str:
    """A row's name in the log: an id, or the id and name of a variant."""
    return str(row["id"]) if isinstance(row, dict) else " ".join(row) if isinstance(row, tuple) else str(row)


def _predict_upload(upload: db.Row) -> Count:
    arrived = not upload["failure"] and s3.object_exists(incoming_key(upload["id"]))
    return Count.FINISHED if arrived else Count.UNDONE


def _predict_variant(name: variants.Name) -> Count:
    return Count.FINISHED if s3.object_exists(variant_key(*name)) else Count.VARIANTS_REMOVED


def _settle_upload(upload: db.Row) -> Count | None:
    """Returns None if it is leased again or was removed."""
    if upload["failure"]:
        remove_failed(upload)
        return Count.UNDONE
    try:
        complete_upload(upload["id"], wait_seconds=0)
    except ConflictError as error:
        # A direct upload never has a file at incoming/.
        is_missing = error.code == "upload_not_arrived"
        return Count.UNDONE if is_missing and undo_expired(upload) else None
    except TooComplexError as error:
        return Count.REFUSED if error.is_final else Count.FAILED
    except NotFoundError:  # removed since
        return None
    except AppError as error:
        if error.status >= 500:
            raise
        return Count.REFUSED
    return Count.FINISHED


def _settle_removal(image_id: str) -> Count | None:
    """Returns None if it is leased or was removed."""
    return Count.UNDONE if resume_removals([image_id]) else None


def _purge_image(image: db.Row) -> Count | None:
    """Returns None if it was restored."""
    removal = pending_removals.begin_expired(image["id"])
    if not removal:
        return None
    finish_removals([removal])
    return Count.PURGED


def _settle_variant(name: variants.Name) -> Count | None:
    """Returns None if it is leased or ready, or was removed."""
    lease = variants.acquire_lease(*name)
    if not lease:
        return None
    # The process stored it and crashed before it could mark it as ready.
    if s3.object_exists(variant_key(*name)):
        return Count.FINISHED if variants.mark_ready(*name, lease["lease_token"]) else None
    if lease["is_exhausted"]:  # back off, do not retry
        variants.mark_failed(*name, lease["lease_token"], TooComplexError.code)
    else:
        variants.remove(*name, lease["lease_token"])
    return Count.VARIANTS_REMOVED
