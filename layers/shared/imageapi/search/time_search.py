"""Plan (b) in time order: search time ranges, whose lengths follow from the density of matches."""

import math
from dataclasses import dataclass, field
from uuid import UUID

from imageapi.database import db
from imageapi.model.ids import largest_id, milliseconds_of, smallest_id
from imageapi.search.conditions import Conditions
from imageapi.search.statements import Found, select
from imageapi.search.tokens import TIME_SHIFTS, TimeRange, cover_time

SCANNED_ROWS = 500
"""Rows that are scanned before the GIN index is used."""
MAX_CANDIDATES = 5_000
"""If a time range has more candidates, a shorter one is searched instead."""
DENSE_ROWS = 20_000
"""Rows scanned instead if one minute has more than MAX_CANDIDATES."""
MARGIN = 1.5
"""A range is this many times as long as the density of matches suggests."""
NEWEST_OF_ALL = UUID(int=2**128 - 1)
"""The position before a newest-first list."""


@dataclass
class TimeSearch:
    """Hits so far, each with its ``tier``, and the number of statements left."""

    wanted: int
    statements: int
    hits: list[db.Row] = field(default_factory=list)

    @property
    def missing(self) -> int:
        return self.wanted - len(self.hits)

    def read_tier(self, conditions: Conditions, tier: int, place: UUID | None) -> UUID | None:
        """Add the hits of a tier after a position.

        Returns:
            The position to continue from; None if the tier is exhausted or the page is full.
        """
        if self.statements <= 0:
            return place or NEWEST_OF_ALL
        matches, scanned = self._take(_scan(conditions, place, SCANNED_ROWS, self.missing), tier)
        if scanned["candidates"] < SCANNED_ROWS:
            return None
        ahead = _Ahead(conditions.order.descending, scanned, matches)
        while self.missing and self.statements > 0:
            time_range = ahead.next_range(self.missing)
            found = _search_range(conditions, ahead.place, time_range, self.missing)
            matches, searched = self._take(found, tier)
            if searched["candidates"] <= MAX_CANDIDATES:
                if not searched["next"]:
                    return None
                ahead.pass_range(time_range, matches, UUID(searched["next"]))
            elif not ahead.shorten(time_range) and self.statements > 0:
                _, scanned = self._take(_scan(conditions, ahead.place, DENSE_ROWS, self.missing), tier)
                if scanned["candidates"] < DENSE_ROWS:
                    return None
                ahead.place = UUID(scanned["last"])
        return ahead.place if self.missing else None

    def _take(self, found: Found, tier: int) -> tuple[int, db.Row]:
        """Add hits. Returns their number and the facts."""
        rows, facts = found
        self.statements -= 1
        self.hits += [{**row, "tier": tier} for row in rows]
        return len(rows), facts


class _Ahead:
    """The rest of a tier, and the length of its next time range.

    Args:
        scanned: the facts of a scan.
        matches: the number of its hits.
    """

    def __init__(self, descending: bool, scanned: db.Row, matches: int) -> None:
        self.place = UUID(scanned["last"])
        self._descending = descending
        # The density is matches per ``_span`` milliseconds.
        self._matches, self._span = matches, abs(_milliseconds(scanned["first"]) - self._now) + 1
        self._end = _milliseconds(scanned["end"])
        # The next range is at most 1/share of the way to the limit.
        self._limit, self._share = self._end, 1

    @property
    def _now(self) -> int:
        return milliseconds_of(self.place)

    def next_range(self, missing: int) -> TimeRange:
        """The range that probably has the ``missing`` matches."""
        wanted = math.ceil(missing * self._span / (self._matches + 0.5) * MARGIN)
        length = min(wanted, abs(self._limit - self._now) // self._share)
        if self._descending:
            return cover_time(max(0, self._now - length), self._now + 1)
        return cover_time(self._now, self._now + length + 1)

    def pass_range(self, time_range: TimeRange, matches: int, following: UUID) -> None:
        """Continue after a searched range. ``following``: the first image after it."""
        self._matches += matches
        self._span += time_range.end - time_range.start
        self.place = UUID(int=following.int + (1 if self._descending else -1))
        if abs(self._end - self._now) <= abs(self._end - self._limit):
            self._limit, self._share = self._end, 1

    def shorten(self, time_range: TimeRange) -> bool:
        """Limit the next range to a third of one with too many candidates. False if it cannot be shorter."""
        if time_range.end - time_range.start <= 2 << TIME_SHIFTS[0]:
            return False
        self._limit, self._share = (time_range.start if self._descending else time_range.end), 3
        return True


def _scan(conditions: Conditions, place: UUID | None, rows: int, wanted: int) -> Found:
    """Scan the next images. Facts, also of images that are not hits: the ``first`` and ``last`` in order, and
    ``end``, the last image of the whole list.
    """
    order = conditions.order
    bounds, backward = " AND ".join(conditions.bounds) or "TRUE", "ASC" if order.descending else "DESC"
    return select(
        f"""SELECT image.id, ({conditions.all}) AS hit FROM image_metadata AS image
            WHERE {bounds} AND {order.after if place else "TRUE"}
            ORDER BY {order.order_by()} LIMIT %(rows)s""",
        f"""(SELECT image.id FROM candidates AS image ORDER BY {order.order_by()} LIMIT 1) AS first,
            (SELECT image.id FROM candidates AS image ORDER BY image.id {backward} LIMIT 1) AS last,
            (SELECT image.id FROM image_metadata AS image WHERE {bounds}
             ORDER BY image.id {backward} LIMIT 1) AS end""",
        order,
        {**conditions.values, "id": place and str(place), "rows": rows, "wanted": wanted},
    )


def _search_range(conditions: Conditions, place: UUID, time_range: TimeRange, wanted: int) -> Found:
    """Search a time range in the GIN index; returns no rows if it has more than MAX_CANDIDATES. Facts:
    ``next``, the first image after the range, whether a hit or not.
    """
    order = conditions.order
    indexed, values = conditions.index_condition(time_range.tokens)
    if order.descending:
        inside, behind, end = "image.id >= %(end)s", "image.id < %(end)s", smallest_id(time_range.start)
    else:
        inside, behind, end = "image.id <= %(end)s", "image.id > %(end)s", largest_id(time_range.end - 1)
    values |= {"id": str(place), "end": str(end), "max_rows": MAX_CANDIDATES + 1, "wanted": wanted}
    rows, facts = select(
        f"""SELECT image.id, ({conditions.all} AND {order.after} AND {inside}) AS hit
            FROM image_metadata AS image WHERE {indexed} LIMIT %(max_rows)s""",
        f"""(SELECT image.id FROM image_metadata AS image WHERE {" AND ".join([*conditions.bounds, behind])}
             ORDER BY {order.order_by()} LIMIT 1) AS next""",
        order,
        {**conditions.values, **values},
    )
    return rows if facts["candidates"] <= MAX_CANDIDATES else [], facts


def _milliseconds(image_id: str) -> int:
    return milliseconds_of(UUID(image_id))
