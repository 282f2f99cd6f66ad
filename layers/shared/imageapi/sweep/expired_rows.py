"""Rows whose time is over: in the trash; and uploads, deletions and variants that crashes left behind, whose
lease has expired.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from imageapi.catalog import deletions, trash, uploads, variants
from imageapi.database import db
from imageapi.delivery.removal import finish_deletions
from imageapi.errors import AppError, ConflictError, NotFoundError, TooComplexError
from imageapi.storage import s3
from imageapi.storage.keys import incoming_key, variant_key
from imageapi.sweep.report import Count, Report
from imageapi.telemetry.logs import get_logger
from imageapi.uploads.complete import EVENT_LEASE_SECONDS, complete_upload
from imageapi.uploads.outcome import remove_failed, undo_expired

T = TypeVar("T")

BATCH = 500


def settle_rows(report: Report, has_time: Callable[[], bool]) -> None:
    """Settle all expired rows while there is time; in a dry run, only count."""
    dry = report.dry_run
    _settle_each(trash.find_expired, (lambda _: Count.PURGED) if dry else _purge_image, report, has_time)
    # Uploads come last: they take the longest.
    _settle_each(
        deletions.find_expired, (lambda _: Count.UNDONE) if dry else _settle_deletion, report, has_time
    )
    _settle_each(
        variants.find_expired,
        _predict_variant if dry else _settle_variant,
        report,
        has_time,
    )
    _settle_each(uploads.find_expired, _predict_outcome if dry else _settle_upload, report, has_time)


def _settle_each(
    find: Callable[[T | None, int], list[T]],
    settle: Callable[[T], Count | None],
    report: Report,
    has_time: Callable[[], bool],
) -> None:
    """Settle rows one by one and count the outcomes. A row that fails does not stop the others.

    Args:
        find: reads the next rows after one, or the first ones.
    """
    for row in _in_batches(find):
        if not has_time():
            report.rows_left = True
            return
        try:
            outcome = settle(row)
        except AppError as error:  # a store does not answer
            get_logger().warning("a row could not be settled", extra={"row": _name(row)}, exc_info=error)
            outcome = Count.FAILED
        except Exception:
            get_logger().exception("a row could not be settled", extra={"row": _name(row)})
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
    """A row's name in the log: the id of an upload, image or deletion, or the id and name of a variant."""
    return str(row["id"]) if isinstance(row, dict) else " ".join(row) if isinstance(row, tuple) else str(row)


def _predict_outcome(upload: db.Row) -> Count:
    arrived = not upload["failure"] and s3.object_exists(incoming_key(upload["id"]))
    return Count.FINISHED if arrived else Count.UNDONE


def _predict_variant(name: variants.Name) -> Count:
    return Count.FINISHED if s3.object_exists(variant_key(*name)) else Count.VARIANTS_REMOVED


def _settle_upload(upload: db.Row) -> Count | None:
    """None if it is leased again, or gone."""
    if upload["failure"]:
        remove_failed(upload)
        return Count.UNDONE
    try:
        complete_upload(upload["id"], EVENT_LEASE_SECONDS, wait_seconds=0)
    except ConflictError as error:
        # A direct upload never has a file at incoming/.
        is_missing = error.code == "upload_not_arrived"
        return Count.UNDONE if is_missing and undo_expired(upload) else None
    except TooComplexError as error:
        return Count.REFUSED if error.is_final else Count.FAILED
    except NotFoundError:  # gone meanwhile
        return None
    except AppError as error:
        if error.status >= 500:
            raise
        return Count.REFUSED
    return Count.FINISHED


def _settle_deletion(image_id: str) -> Count | None:
    """None if it is leased or gone."""
    found = deletions.acquire_leases([image_id])
    finish_deletions(found)
    return Count.UNDONE if found else None


def _purge_image(image: db.Row) -> Count | None:
    """None if it was restored."""
    deletion = deletions.begin_expired(image["id"])
    if not deletion:
        return None
    finish_deletions([deletion])
    return Count.PURGED


def _settle_variant(name: variants.Name) -> Count | None:
    """None if it is leased, ready or gone."""
    lease = variants.acquire_lease(*name)
    if not lease:
        return None
    # Stored, but the process died before it could say so.
    if s3.object_exists(variant_key(*name)):
        return Count.FINISHED if variants.mark_ready(*name, lease["lease_token"]) else None
    if lease["is_exhausted"]:  # back off, do not retry
        variants.mark_failed(*name, lease["lease_token"], TooComplexError.code)
    else:
        variants.remove(*name, lease["lease_token"])
    return Count.VARIANTS_REMOVED
