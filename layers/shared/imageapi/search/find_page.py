"""A page of a list: the two plans, and the statements that each may run (see ``imageapi.search``)."""

import math
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from imageapi.catalog.images import COLUMNS
from imageapi.database import db
from imageapi.errors import InvalidCursorError, TooManyToSortError
from imageapi.model.ids import largest_id, milliseconds_of, smallest_id
from imageapi.search import counts
from imageapi.search.conditions import Conditions, find_times, make_conditions
from imageapi.search.cursors import Position
from imageapi.search.list_parameters import ListQuery
from imageapi.search.sort_orders import ORDERS, TIERS, Order, sorts_by_time
from imageapi.search.tokens import TIME_SHIFTS, TimeRange, cover_time

MAX_STATEMENTS = 8
"""Per request, including those that count its total."""
SCANNED_ROWS = 500
"""Rows that a search in time order scans before it uses the GIN index."""
MAX_CANDIDATES = 5_000
"""A time range with more candidates than this is discarded for a shorter one."""
DENSE_ROWS = 20_000
"""Rows scanned instead where one minute has more than MAX_CANDIDATES."""
MAX_SORTED = 5_000
"""At most this many matches are sorted by title or size."""
MARGIN = 1.5
"""Factor by which a range is longer than the density of matches suggests."""
NEWEST_OF_ALL = UUID(int=2**128 - 1)
"""Where a newest-first list begins."""


_Page = tuple[list[db.Row], Position | None]
"""The rows of a page in order, and where it ended; None when nothing comes after it."""


def find_page(query: ListQuery, position: Position | None) -> _Page:
    """The page after a position, or the first.

    Raises:
        InvalidCursorError: the position does not fit the order.
        TooManyToSortError: too many images match to sort by title or size.
    """
    order, conditions = ORDERS[query.sort], make_conditions(query)
    if position and not _fits(position.key, order):
        raise InvalidCursorError("The cursor does not fit this list.")
    wanted = query.limit + 1
    if conditions.follows_index:
        return _make_page([(row, 0) for row in _scan_index(conditions, position, wanted)], wanted, None)
    if order.key:
        sorted_rows = _sort_matches(conditions, position, wanted)
        if sorted_rows is None:
            sorts = sorts_by_time(has_terms=bool(query.terms))
            raise TooManyToSortError(
                f"More than {MAX_SORTED:,} images match: too many to sort by {query.sort}. "
                f"Narrow the list down, or sort it by one of {', '.join(sorts)}.",
                details={"max": MAX_SORTED, "sorts": sorts},
            )
        return _make_page([(row, 0) for row in sorted_rows], wanted, None)
    search = _TimeSearch(wanted, MAX_STATEMENTS - (counts.STATEMENTS if query.total else 0))
    tiers = TIERS if query.sort == "relevance" else (None,)
    for tier in range(position.tier if position else 0, len(tiers)):
        place = position.id if position and position.tier == tier else None
        place = search.read_tier(make_conditions(query, tiers[tier]), tier, place)
        if place or not search.missing:
            return _make_page(search.hits, wanted, Position(tier, None, place) if place else None)
    return _make_page(search.hits, wanted, None)


def _fits(key: str | int | None, order: Order) -> bool:
    """Whether a cursor's key can be compared in this order. Cursors are not signed: anyone can write one."""
    return type(key) is order.key_type and not (isinstance(key, int) and abs(key) >= 2**63)


def _make_page(hits: list[tuple[db.Row, int]], wanted: int, unread: Position | None) -> _Page:
    """``hits``: up to ``wanted`` rows with their tiers; the last one only shows that there are more.
    ``unread``: where to continue if there are fewer.
    """
    rows = [row for row, _ in hits]
    if len(rows) < wanted:
        return rows, unread
    last, tier = hits[-2]
    return rows[:-1], Position(tier, last.get("key"), UUID(last["id"]))


_Found = tuple[list[db.Row], db.Row]
"""A statement's result: hits in order, and facts: ``candidates`` (rows read) and more."""


@dataclass
class _TimeSearch:
    """Plan (b) in time order: hits so far, and statements left."""

    wanted: int
    statements: int
    hits: list[tuple[db.Row, int]] = field(default_factory=list)

    @property
    def missing(self) -> int:
        return self.wanted - len(self.hits)

    def read_tier(self, conditions: Conditions, tier: int, place: UUID | None) -> UUID | None:
        """Add the hits of a tier after a position.

        Returns:
            Where to continue; None if the tier is exhausted or the page is full.
        """
        if self.statements <= 0:
            return place or NEWEST_OF_ALL
        matches, scanned = self._take(_scan_time(conditions, place, SCANNED_ROWS, self.missing), tier)
        if scanned["candidates"] < SCANNED_ROWS:
            return None
        place = UUID(scanned["last"])
        # Density: ``matches`` in ``span`` milliseconds.
        span = abs(_milliseconds(scanned["first"]) - milliseconds_of(place)) + 1
        end = _milliseconds(scanned["end"])
        limit, share = end, 1  # the next range is at most 1/share of the way to ``limit``
        while self.missing and self.statements > 0:
            length = math.ceil(self.missing * span / (matches + 0.5) * MARGIN)
            longest = abs(limit - milliseconds_of(place)) // share
            time_range = _next_range(conditions, place, min(length, longest))
            length = time_range.end - time_range.start
            hits, asked = self._take(_search_range(conditions, place, time_range, self.missing), tier)
            if asked["candidates"] <= MAX_CANDIDATES:
                if not asked["next"]:
                    return None
                matches, span = matches + hits, span + length
                # Just before the first image after the range.
                place = UUID(int=UUID(asked["next"]).int + (1 if conditions.order.descending else -1))
                if abs(end - milliseconds_of(place)) <= abs(end - limit):
                    limit, share = end, 1
            elif length > 2 << TIME_SHIFTS[0]:
                limit, share = (time_range.start if conditions.order.descending else time_range.end), 3
            elif self.statements > 0:
                _, scanned = self._take(_scan_time(conditions, place, DENSE_ROWS, self.missing), tier)
                if scanned["candidates"] < DENSE_ROWS:
                    return None
                place = UUID(scanned["last"])
        return place if self.missing else None

    def _take(self, found: _Found, tier: int) -> tuple[int, db.Row]:
        """Add hits. Returns their number and the facts."""
        rows, facts = found
        self.statements -= 1
        self.hits += [(row, tier) for row in rows]
        return len(rows), facts


def _scan_index(conditions: Conditions, position: Position | None, wanted: int) -> list[db.Row]:
    """Plan (a): the next entries of the order's index."""
    order = conditions.order
    where = [*conditions.bounds, *conditions.category, *([order.after] if position else [])]
    # ORDER BY begins with the category, so that only indexes that begin with it have this order. Otherwise
    # PostgreSQL may scan all images and discard other categories.
    first = ["image.category"] if conditions.category else []
    return db.query(
        f"""SELECT {_columns(order)} FROM image_metadata AS image
            WHERE {" AND ".join(where) or "TRUE"} ORDER BY {order.order_by(*first)} LIMIT %(wanted)s""",
        {**conditions.values, **_place(position), "wanted": wanted},
    )


def _sort_matches(conditions: Conditions, position: Position | None, wanted: int) -> list[db.Row] | None:
    """Plan (b) by title or size: all matches, sorted; None when there are more than MAX_SORTED."""
    times = find_times(conditions)
    if counts.is_far_beyond(conditions, times, MAX_SORTED):
        return None
    order, max_rows = conditions.order, counts.CANDIDATES_FACTOR * MAX_SORTED
    indexed, values = conditions.index_condition(times)
    rows, facts = _select(
        f"""SELECT image.id, image.{order.key}, ({conditions.all}) AS is_match,
                   ({conditions.all} AND {order.after if position else "true"}) AS hit
            FROM image_metadata AS image WHERE {indexed} LIMIT %(max_rows)s""",
        "(SELECT count(*) FROM candidates WHERE is_match) AS matches",
        order,
        {**conditions.values, **values, **_place(position), "max_rows": max_rows, "wanted": wanted},
    )
    return rows if facts["matches"] <= MAX_SORTED and facts["candidates"] < max_rows else None


def _scan_time(conditions: Conditions, place: UUID | None, rows: int, wanted: int) -> _Found:
    """Scan the next images. Facts, hits or not: the ``first`` and ``last`` of them in order, and ``end``, the
    last image of the whole list.
    """
    order = conditions.order
    bounds, backward = " AND ".join(conditions.bounds) or "TRUE", "ASC" if order.descending else "DESC"
    return _select(
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


def _search_range(conditions: Conditions, place: UUID, time_range: TimeRange, wanted: int) -> _Found:
    """Search a time range in the GIN index; no rows if it has more than MAX_CANDIDATES. Facts: ``next``, the
    first image after the range, hit or not.
    """
    order = conditions.order
    indexed, values = conditions.index_condition(time_range.tokens)
    if order.descending:
        inside, behind, end = "image.id >= %(end)s", "image.id < %(end)s", smallest_id(time_range.start)
    else:
        inside, behind, end = "image.id <= %(end)s", "image.id > %(end)s", largest_id(time_range.end - 1)
    values |= {"id": str(place), "end": str(end), "max_rows": MAX_CANDIDATES + 1, "wanted": wanted}
    rows, facts = _select(
        f"""SELECT image.id, ({conditions.all} AND {order.after} AND {inside}) AS hit
            FROM image_metadata AS image WHERE {indexed} LIMIT %(max_rows)s""",
        f"""(SELECT image.id FROM image_metadata AS image WHERE {" AND ".join([*conditions.bounds, behind])}
             ORDER BY {order.order_by()} LIMIT 1) AS next""",
        order,
        {**conditions.values, **values},
    )
    return rows if facts["candidates"] <= MAX_CANDIDATES else [], facts


def _next_range(conditions: Conditions, place: UUID, length: int) -> TimeRange:
    """The range after a position, at least ``length`` milliseconds long."""
    now = milliseconds_of(place)
    start, end = (max(0, now - length), now + 1) if conditions.order.descending else (now, now + length + 1)
    return cover_time(start, end)


def _select(candidates: str, facts: str, order: Order, values: dict[str, Any]) -> _Found:
    """Read candidates in one statement; return the first hits in order, and the facts.

    Args:
        candidates: the SELECT of ``id``, the order's key and ``hit``.
        facts: further expressions, which may read the candidates.
    """
    key = f", image.{order.key}" if order.key else ""
    # LEFT JOIN from one row: the facts come even without hits.
    found = db.query(
        f"""WITH candidates AS MATERIALIZED ({candidates}),
            page AS (SELECT image.id{key} FROM candidates AS image WHERE hit
                     ORDER BY {order.order_by()} LIMIT %(wanted)s)
            SELECT (SELECT count(*) FROM candidates) AS candidates, {facts}, {_columns(order)}
            FROM (VALUES (1)) AS one
            LEFT JOIN (page JOIN image_metadata AS image ON image.id = page.id) ON true
            ORDER BY {order.order_by()}""",
        values,
    )
    return [row for row in found if row["id"]], found[0]


def _columns(order: Order) -> str:
    return f"{COLUMNS}, image.{order.key} AS key" if order.key else COLUMNS


def _place(position: Position | None) -> dict[str, Any]:
    return {"key": position.key, "id": str(position.id)} if position else {}


def _milliseconds(image_id: str) -> int:
    return milliseconds_of(UUID(image_id))
