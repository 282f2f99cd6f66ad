"""Objects without a row: whether they are what crashes left behind, and their removal.

Beside a database that is empty, another or an older one every original is without a row, and none of them
may go. What a crash leaves is one or two. So no object is removed before the originals have been counted, and
where originals are kept, variants and incoming files are kept with them.
"""

from collections.abc import Sequence
from functools import cached_property

from imageapi.catalog import images, variants
from imageapi.model.ids import is_id
from imageapi.storage import s3
from imageapi.storage.keys import variant_key
from imageapi.sweep.compare_stores import Part
from imageapi.sweep.report import REPORTED, Count, Report

MAX_SHARE = 10
"""At most one original in ten is removed, but always a single one."""
MIN_REMOVED = 10
"""A small bucket: this many are removed when their share allows it."""
LARGE_BUCKET_SHARE, MAX_REMOVED = 1_000, 100
"""A large bucket: one in a thousand, and never more than MAX_REMOVED."""
NEWEST = 10


class Orphans:
    """What becomes of the orphans of one comparison, which meets those among the originals first."""

    def __init__(self, report: Report, *, force: bool) -> None:
        self._report = report
        self._force = force
        self._originals = 0
        self._orphaned = 0
        self._held: list[str] = []
        self._is_judged = force

    @property
    def is_waiting(self) -> bool:
        """Whether orphans were found that have been neither removed nor kept."""
        return bool(self._held)

    def add(self, part: Part) -> None:
        """Count the orphans of a part; remove or keep them, unless the originals are still being counted."""
        if not part.is_of_originals:
            self.judge()
        self._originals += len(part.objects) if part.is_of_originals else 0
        self._orphaned += len(part.orphans) if part.is_of_originals else 0
        self._report.counts[Count.ORPHAN_OBJECTS] += len(part.orphans)
        self._report.orphan_keys += part.orphans[: REPORTED - len(self._report.orphan_keys)]
        if self._is_judged:
            self._remove_or_keep(part.orphans)
        else:  # where there are more than MAX_REMOVED, all are kept
            self._held += part.orphans[: MAX_REMOVED + 1 - len(self._held)]

    def judge(self) -> None:
        """Remove or keep the orphans among the originals, of which there are no more."""
        if not self._is_judged:
            self._is_judged = True
            self._remove_or_keep(self._held, self._orphaned)
            self._held = []

    def _remove_or_keep(self, keys: Sequence[str], count: int | None = None) -> None:
        """Remove orphans, or keep them and count them (``count``, where not all keys are known)."""
        if not keys:
            return
        if not self._force and not self._may_remove:
            self._report.counts[Count.ORPHANS_KEPT] += len(keys) if count is None else count
        elif not self._report.dry_run:
            s3.delete_objects(_without_variants_made_since(keys))

    @cached_property
    def _may_remove(self) -> bool:
        if self._orphaned > count_removable(self._originals):
            return False
        # Asked again: a comparison that goes on where the last one ended may look at variants alone.
        return knows_an_original() or not any(s3.list_objects("originals/"))


def count_removable(originals: int) -> int:
    """How many originals without a row a sweep may remove by itself, of this many that it looked at."""
    absolute = max(MIN_REMOVED, min(MAX_REMOVED, originals // LARGE_BUCKET_SHARE))
    return max(1, min(absolute, originals // MAX_SHARE))


def is_another_bucket() -> bool:
    """Whether the bucket has none of the newest images: it is another one's, or the database is. Then nothing
    in one says anything about the other.
    """
    newest = images.find_newest_keys(NEWEST)
    return bool(newest) and not any(map(s3.object_exists, newest))


def knows_an_original() -> bool:
    """Whether one of the newest images is in the bucket."""
    return any(map(s3.object_exists, images.find_newest_keys(NEWEST)))


def _without_variants_made_since(keys: Sequence[str]) -> list[str]:
    """A variant may have been made again under the same key while the rest was compared."""
    parts = [key.split("/") for key in keys]
    names = [
        (part[1], part[2]) for part in parts if part[0] == "variants" and len(part) == 3 and is_id(part[1])
    ]
    made = {variant_key(*name) for name in variants.find_statuses(names)} if names else set()
    return [key for key in keys if key not in made]
