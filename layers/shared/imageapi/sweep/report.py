"""The report of a sweep."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

REPORTED = 100
"""Maximum number of listed ids or keys of each kind; counts are complete."""


class Count(StrEnum):
    """The counts of a sweep."""

    FINISHED = "finished"
    """Uploads whose file had arrived: they became images."""
    UNDONE = "undone"
    """Uploads that never arrived or failed, and interrupted removals: row and objects were removed."""
    PURGED = "purged"
    """Images whose time in the trash was over: deleted permanently."""
    REFUSED = "refused"
    """Uploads whose file arrived and was refused: the row contains the reason for 7 days."""
    FAILED = "failed"
    """Rows that could not be settled; the next sweep tries again."""
    VARIANTS_REMOVED = "variants_removed"
    """Unfinished variants: removed."""
    VARIANTS_LOST = "variants_lost"
    """Ready variants without an object: row removed. Except intermediates, they are rendered again."""
    ORPHAN_OBJECTS = "orphan_objects"
    """Objects without a row: removed if a crash may have left them."""
    ORPHANS_KEPT = "orphans_kept"
    """Orphans that were kept, because a crash cannot have left them."""
    MISSING_OBJECTS = "missing_objects"
    """Images without an object: only reported, so that a person can decide."""


@dataclass
class Report:
    """The results of a sweep."""

    dry_run: bool
    counts: Counter[Count] = field(default_factory=Counter)
    is_another_bucket: bool = False
    """The bucket has none of the newest images, so it is not this database's. No row was settled."""
    rows_left: bool = False
    """Time ran out before all rows were processed."""
    orphan_keys: list[str] = field(default_factory=list)
    missing_ids: list[str] = field(default_factory=list)
    compared_until: str = ""
    """The last key compared, if time ran out before the end."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, each count by its name."""
        values = asdict(self)
        del values["counts"]
        return values | {count.value: self.counts[count] for count in Count}
