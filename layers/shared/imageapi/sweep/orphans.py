"""Orphans: decides whether crashes left them, and removes them.

With an empty, wrong or older database, every original is an orphan, and none may be removed. A crash leaves
only one or two. So orphans are removed only after all originals have been counted. If orphaned originals are
kept, so are variants and incoming files, also by the sweeps that continue the comparison.
"""

from collections.abc import Sequence
from functools import cached_property

from imageapi.catalog import originals
from imageapi.delivery.variant_store import adopt
from imageapi.model.ids import is_id
from imageapi.storage import s3
from imageapi.sweep.compare_stores import VARIANTS, Part, read_id
from imageapi.sweep.report import REPORTED, Count, Report

MAX_SHARE = 10
"""At most one original in ten is removed; a single one may always be removed."""
MIN_REMOVED = 10
"""In a small bucket, up to this many are removed if MAX_SHARE allows it."""
LARGE_BUCKET_SHARE, MAX_REMOVED = 1_000, 100
"""In a large bucket, up to one in a thousand is removed, and at most MAX_REMOVED."""
NEWEST = 10


class Orphans:
    """The orphans of one sweep. Originals come first.

    Args:
        kept_before: whether an earlier sweep kept orphans of the same comparison.
    """

    def __init__(self, report: Report, *, force: bool, kept_before: bool) -> None:
        self._report = report
        self._force = force
        self._kept_before = kept_before
        self._originals = 0
        self._orphaned = 0
        self._held: list[str] = []
        self._is_judged = force

    @property
    def is_waiting(self) -> bool:
        """Whether some orphans are undecided."""
        return bool(self._held)

    @property
    def has_kept(self) -> bool:
        """Whether this sweep, or an earlier one of the same comparison, has kept orphans."""
        return self._kept_before or self._report.counts[Count.ORPHANS_KEPT] > 0

    def add(self, part: Part) -> None:
        """Count the orphans of a part. Remove or keep them, unless originals are still being counted."""
        if not part.is_of_originals:
            self.judge()
        self._originals += len(part.objects) if part.is_of_originals else 0
        self._orphaned += len(part.orphans) if part.is_of_originals else 0
        self._report.counts[Count.ORPHAN_OBJECTS] += len(part.orphans)
        self._report.orphan_keys += part.orphans[: REPORTED - len(self._report.orphan_keys)]
        if self._is_judged:
            self._remove_or_keep(part.orphans)
        else:  # if there are more than MAX_REMOVED, all are kept
            self._held += part.orphans[: MAX_REMOVED + 1 - len(self._held)]

    def judge(self) -> None:
        """Remove or keep the orphaned originals. Call this after all are counted."""
        if not self._is_judged:
            self._is_judged = True
            self._remove_or_keep(self._held, self._orphaned)
            self._held = []

    def _remove_or_keep(self, keys: Sequence[str], count: int | None = None) -> None:
        """Remove orphans, or keep and count them. ``count``: their number if ``keys`` is incomplete."""
        if not keys:
            return
        if not self._force and not self._may_remove:
            self._report.counts[Count.ORPHANS_KEPT] += len(keys) if count is None else count
        elif not self._report.dry_run:
            _remove(keys)

    @cached_property
    def _may_remove(self) -> bool:
        if self._kept_before or self._orphaned > count_removable(self._originals):
            return False
        # Check again: a resumed comparison may contain only variants.
        knows_one = any(map(s3.object_exists, originals.find_newest_keys(NEWEST)))
        return knows_one or not any(s3.list_objects("originals/"))


def count_removable(originals: int) -> int:
    """The number of orphans that a sweep may remove without ``force``, of this many compared originals."""
    absolute = max(MIN_REMOVED, min(MAX_REMOVED, originals // LARGE_BUCKET_SHARE))
    return max(1, min(absolute, originals // MAX_SHARE))


def is_another_bucket() -> bool:
    """Whether the bucket has none of the newest images: bucket and database do not belong together."""
    newest = originals.find_newest_keys(NEWEST)
    return bool(newest) and not any(map(s3.object_exists, newest))


def _remove(keys: Sequence[str]) -> None:
    """Remove orphans that no row has claimed during the comparison."""
    ids = {key: read_id(key) for key in keys}
    claims = originals.find_claims([image_id for image_id in ids.values() if is_id(image_id)])
    left = [key for key, image_id in ids.items() if not originals.is_claimed(claims, image_id, key)]
    # A variant of an existing or trashed image can be rendered again at any time.
    kept = [key for key in left if ids[key] in claims and key.startswith(f"{VARIANTS}{ids[key]}/")]
    for key in kept:
        adopt(ids[key], key.removeprefix(f"{VARIANTS}{ids[key]}/"))
    s3.delete_objects([key for key in left if key not in kept])
