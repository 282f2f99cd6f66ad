"""Compares each row with its object after a restore: originals by checksum, variants by name.

A call does one slice of the work and returns the position of the next. It reads originals in id order, then
pending uploads (only to restore their files), then variants.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from imageapi.catalog import facets, originals, trash, uploads, variants
from imageapi.model.ids import LAST_ID, ZERO_ID
from imageapi.storage import versions
from imageapi.storage.object_keys import incoming_key
from imageapi.sweep.compare_stores import INCOMING, ORIGINALS, VARIANTS, compare_stores
from imageapi.sweep.orphans import is_another_bucket
from imageapi.sweep.restore_objects import restore_incoming, restore_original

A = TypeVar("A")
B = TypeVar("B")

BATCH = 100
THREADS = 10
"""Concurrent requests to the store: as many as its client has connections."""
SLICE_SECONDS = 15.0
"""After this time, a slice ends with its batch."""
MAX_LISTED = 1_000
"""A slice also ends when it lists this many keys."""
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
"""No object is older, so this module finds no orphans."""


@dataclass
class Findings:
    """The findings of one slice.

    Attributes:
        images: number of all images, including those in the trash.
        originals: number of originals that were compared.
        variants: number of files of variants that were compared.
        missing, different: keys of originals that are missing, or whose bytes differ from the row's checksum.
        lost: keys of variants that are missing.
        restored: keys that were restored, and are in no other list. The row of a lost variant was removed, so
            that it is rendered again.
        after: the position of the next slice; empty if all is done.
    """

    images: int
    originals: int = 0
    variants: int = 0
    missing: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    after: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def is_full(self) -> bool:
        """Whether enough keys are listed for one response."""
        return sum(map(len, (self.missing, self.different, self.lost, self.restored))) >= MAX_LISTED


def verify(*, restore: bool, after: str = "", has_time: Callable[[], bool] = lambda: True) -> Findings:
    """Compare the next slice of rows with their objects.

    Args:
        restore: restore objects from their versions in the bucket.
        after: the previous slice's ``after``; empty to begin.

    Raises:
        DatabaseUnavailableError, StorageUnavailableError: call it again with the same arguments.
    """
    found = Findings(images=facets.count_images("all", "") + trash.count())
    end = time.monotonic() + SLICE_SECONDS
    for place in _steps(found, restore, after or ORIGINALS):
        found.after = place
        if time.monotonic() > end or found.is_full or not has_time():
            break
    return found


def _steps(found: Findings, restore: bool, after: str) -> Iterator[str]:
    """Work in batches. Yields the position after each, and finally an empty string."""
    if after.startswith(ORIGINALS):
        for last_id in _compare_originals(found, restore, after.removeprefix(ORIGINALS)):
            yield ORIGINALS + last_id
        after = INCOMING
    if after.startswith(INCOMING):
        for last_id in _restore_incoming(found, after.removeprefix(INCOMING)) if restore else ():
            yield INCOMING + last_id
        after = VARIANTS
    yield from _compare_variants(found, restore, after)


def _compare_originals(found: Findings, restore: bool, after: str) -> Iterator[str]:
    while rows := originals.find_between(after or ZERO_ID, LAST_ID, BATCH):
        digests = _at_once(lambda row: versions.read_sha256(row["s3_key"]), rows)
        wrong = {
            row["id"]: digest for row, digest in zip(rows, digests, strict=True) if digest != row["sha256"]
        }
        # Ignore images that were deleted since.
        present = originals.find_object_keys(wrong) if wrong else {}
        left = [row for row in rows if row["id"] in present]
        if restore:
            restored = _at_once(restore_original, left)
            found.restored += [row["s3_key"] for row, is_back in zip(left, restored, strict=True) if is_back]
            left = [row for row, is_back in zip(left, restored, strict=True) if not is_back]
        for row in left:
            keys = found.missing if wrong[row["id"]] is None else found.different
            keys.append(row["s3_key"])
        found.originals += len(rows)
        after = rows[-1]["id"]
        yield after


def _restore_incoming(found: Findings, after: str) -> Iterator[str]:
    while ids := uploads.find_pending(after or ZERO_ID, BATCH):
        restored = _at_once(restore_incoming, ids)
        found.restored += [incoming_key(item) for item, is_back in zip(ids, restored, strict=True) if is_back]
        after = ids[-1]
        yield after


def _compare_variants(found: Findings, restore: bool, after: str) -> Iterator[str]:
    # With another bucket, every variant would be lost.
    may_remove = restore and not is_another_bucket()
    for part in compare_stores(_BEFORE_ALL, after):
        if may_remove and part.lost:
            variants.remove_lost(part.lost)
        keys = found.restored if may_remove else found.lost
        keys += [row["key"] for row in part.lost]
        found.variants += len(part.objects)
        yield "" if part.is_last else part.end


def _at_once(work: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """Results in order. This call's time limit also applies to each thread."""
    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(partial(copy_context().run, work, item)) for item in items]
        return [future.result() for future in futures]
