"""What a sweep counts and reports."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

REPORTED = 100
"""At most this many ids or keys of each kind are listed; the counts are complete."""


class Count(StrEnum):
    """What a sweep counts."""

    FINISHED = "finished"
    """Uploads whose file had arrived: now images."""
    UNDONE = "undone"
    """Uploads that never arrived or failed, and interrupted removals: row and objects removed."""
    PURGED = "purged"
    """Images whose time in the trash had expired: deleted permanently."""
    REFUSED = "refused"
    """Uploads whose file had arrived and was refused: the row says why for a day."""
    FAILED = "failed"
    """Rows that could not be settled this time; the next sweep tries again."""
    VARIANTS_REMOVED = "variants_removed"
    """Variants that were begun and never finished."""
    VARIANTS_LOST = "variants_lost"
    """Ready variants whose object is gone: row removed, so that they are rendered again (intermediates are
    not).
    """
    ORPHAN_OBJECTS = "orphan_objects"
    """Objects without a row: removed if a crash can have left them."""
    ORPHANS_KEPT = "orphans_kept"
    """Those kept, as a crash cannot have left them."""
    MISSING_OBJECTS = "missing_objects"
    """Images whose object is gone: only reported, for a person to decide."""


@dataclass
class Report:
    """What a sweep found, and (unless it was a dry run) did."""

    dry_run: bool
    counts: Counter[Count] = field(default_factory=Counter)
    is_another_bucket: bool = False
    """The bucket has none of the newest images: it is not this database's, and no row was settled."""
    rows_left: bool = False
    """Time ran out before all rows were looked at."""
    orphan_keys: list[str] = field(default_factory=list)
    missing_ids: list[str] = field(default_factory=list)
    compared_until: str = ""
    """The last key compared, if time ran out before the end."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, each count by its name."""
        values = asdict(self)
        del values["counts"]
        return values | {count.value: self.counts[count] for count in Count}
