"""A page of a list: the two plans, and the statements that each may run (see ``imageapi.search``)."""

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from imageapi import db
from imageapi.catalog.images import COLUMNS
from imageapi.errors import UnprocessableError
from imageapi.ids import MAX_MILLISECONDS, largest_id, milliseconds_of, smallest_id
from imageapi.search.conditions import Conditions, make_conditions
from imageapi.search.cursors import InvalidCursorError, Position
from imageapi.search.orders import ORDERS, TIERS, Order
from imageapi.search.query import ListQuery
from imageapi.search.tokens import TIME_SHIFTS, TimeRange, cover_time
from imageapi.search.totals import MAX_STATEMENTS as STATEMENTS_FOR_TOTAL
from imageapi.search.totals import is_far_beyond

MAX_STATEMENTS = 8
"""For one request, with those that count its total."""
WALKED_ROWS = 500
"""How many images a search by time reads before it asks the GIN index."""
MAX_CANDIDATES = 5_000
"""How many images of one range of time are looked at."""
DENSE_ROWS = 20_000
"""How many images are read one after another where more than MAX_CANDIDATES come in a minute."""
MAX_SORTED = 5_000
"""How many images are sorted by title or size for a search."""
MARGIN = 1.5
"""Factor: how much longer a range is than the frequency of matches suggests."""


class TooManyToSortError(UnprocessableError):
    """422: more images match than are sorted by title or size."""

    code = "too_many_to_sort"

    def __init__(self, query: ListQuery) -> None:
        sorts = ["newest", "oldest", *(["relevance"] if query.terms else [])]
        super().__init__(
            f"More than {MAX_SORTED:,} images match: too many to sort by {query.sort}. "
            f"Narrow the list down, or sort it by one of {', '.join(sorts)}.",
            details={"max": MAX_SORTED, "sorts": sorts},
        )


class Page(NamedTuple):
    """The rows of a page in order, and where it ended; None when nothing comes after it."""

    rows: list[db.Row]
    next_position: Position | None


def find_page(query: ListQuery, position: Position | None) -> Page:
    """The page after a position, or the first.

    Raises:
        InvalidCursorError: the position does not fit the order.
        TooManyToSortError: more images match than are sorted by title or size.
    """
    order, conditions = ORDERS[query.sort], make_conditions(query)
    if position and not _fits(position.key, order):
        raise InvalidCursorError("The cursor does not fit this list.")
    wanted = query.limit + 1
    if conditions.follows_index:
        return _make_page([(row, 0) for row in _walk_index(conditions, position, wanted)], wanted, None)
    if order.key:
        sorted_rows = _sort_matches(conditions, position, wanted)
        if sorted_rows is None:
            raise TooManyToSortError(query)
        return _make_page([(row, 0) for row in sorted_rows], wanted, None)
    budget = MAX_STATEMENTS - (STATEMENTS_FOR_TOTAL if query.total else 0)
    search = _TimeSearch(wanted, budget)
    tiers = TIERS if query.sort == "relevance" else (None,)
    for tier in range(position.tier if position else 0, len(tiers)):
        place = position.id if position and position.tier == tier else None
        rest = search.read_tier(make_conditions(query, tiers[tier]), tier, place)
        if rest or not search.missing:
            return _make_page(search.hits, wanted, Position(tier, None, rest) if rest else None)
    return _make_page(search.hits, wanted, None)


def _fits(key: str | int | None, order: Order) -> bool:
    """Whether a cursor's key can be compared in this order. Cursors are not signed: anyone can write one."""
    return type(key) is order.key_type and not (isinstance(key, int) and abs(key) >= 2**63)


def _make_page(hits: list[tuple[db.Row, int]], wanted: int, rest: Position | None) -> Page:
    """The page of rows with their tiers, one more than it shows. ``rest``: where a list begins that has not
    been read yet.
    """
    rows = [row for row, _ in hits]
    if len(rows) < wanted:
        return Page(rows, rest)
    last, tier = hits[-2]
    return Page(rows[:-1], Position(tier, last.get("key"), UUID(last["id"])))


class _Found(NamedTuple):
    """What a statement has found: hits in order, how many images it has read (candidates), and two places:
    the first image, and the edge, behind which nothing has been read.
    """

    rows: list[db.Row]
    candidates: int
    first: UUID | None
    edge: UUID | None


@dataclass
class _TimeSearch:
    """Plan (b) in an order of time: what has been found, and how many statements are left."""

    wanted: int
    statements: int
    hits: list[tuple[db.Row, int]] = field(default_factory=list)

    @property
    def missing(self) -> int:
        return self.wanted - len(self.hits)

    def read_tier(self, conditions: Conditions, tier: int, place: UUID | None) -> UUID | None:
        """Add the hits of a tier that come after a place.

        Returns:
            The place after which it has not been read yet; None at its end, or when the page is full.
        """
        if self.statements <= 0:
            return place or UUID(int=2**128 - 1)
        found = self._take(_walk_time(conditions, place, WALKED_ROWS, self.missing), tier)
        if found.candidates < WALKED_ROWS or not found.edge or not found.first:
            return None
        place = found.edge
        # How frequent matches are: so many in so many milliseconds.
        matches, span = len(found.rows), abs(milliseconds_of(found.first) - milliseconds_of(place)) + 1
        longest = MAX_MILLISECONDS
        while self.missing and self.statements > 0:
            length = min(longest, math.ceil(self.missing * span / (matches + 0.5) * MARGIN))
            time_range = _next_range(conditions, place, length)
            length = time_range.end - time_range.start
            found = self._take(_search_range(conditions, place, time_range, self.missing), tier)
            if found.candidates <= MAX_CANDIDATES:
                if not found.edge:
                    return None
                # Just before the first image behind the range.
                place = UUID(int=found.edge.int + (1 if conditions.order.descending else -1))
                matches, span, longest = matches + len(found.rows), span + length, MAX_MILLISECONDS
            elif length > 1 << TIME_SHIFTS[0]:
                matches, span, longest = found.candidates, length, length // 2
            elif self.statements > 0:
                found = self._take(_walk_time(conditions, place, DENSE_ROWS, self.missing), tier)
                if found.candidates < DENSE_ROWS or not found.edge:
                    return None
                place = found.edge
        return place if self.missing else None

    def _take(self, found: _Found, tier: int) -> _Found:
        self.statements -= 1
        self.hits += [(row, tier) for row in found.rows]
        return found


def _walk_index(conditions: Conditions, position: Position | None, wanted: int) -> list[db.Row]:
    """Plan (a): the next entries of the order's index."""
    order = conditions.order
    where = [*conditions.bounds, *conditions.category, *([order.after] if position else [])]
    # Within a category the order is one that only the indexes there have. Along another one PostgreSQL would
    # look for a category that it believes to be everywhere, though a million images of others came since.
    first = ["image.category"] if conditions.category else []
    return db.query(
        f"""SELECT {_columns(order)} FROM image_metadata AS image
            WHERE {" AND ".join(where) or "TRUE"} ORDER BY {order.order_by(*first)} LIMIT %(wanted)s""",
        {**conditions.values, **_place(position), "wanted": wanted},
    )


def _sort_matches(conditions: Conditions, position: Position | None, wanted: int) -> list[db.Row] | None:
    """Plan (b) by title or size: all matches, sorted; None when there are more than MAX_SORTED."""
    if is_far_beyond(conditions, MAX_SORTED):
        return None
    order = conditions.order
    narrowed, values = conditions.narrow(conditions.times)
    hit = " AND ".join([conditions.all, *([order.after] if position else [])])
    found = _select(
        f"""SELECT image.id, image.{order.key}, ({hit}) AS hit
            FROM image_metadata AS image WHERE {narrowed} LIMIT %(most)s""",
        "NULL AS first, NULL AS edge",
        order,
        {**conditions.values, **values, **_place(position), "most": MAX_SORTED + 1, "wanted": wanted},
    )
    return found.rows if found.candidates <= MAX_SORTED else None


def _walk_time(conditions: Conditions, place: UUID | None, rows: int, wanted: int) -> _Found:
    """Read the next images one after another; the edge is the last of them."""
    order = conditions.order
    where = [*conditions.bounds, *([order.after] if place else [])]
    backward = "ASC" if order.descending else "DESC"
    return _select(
        f"""SELECT image.id, ({conditions.all}) AS hit FROM image_metadata AS image
            WHERE {" AND ".join(where) or "TRUE"} ORDER BY {order.order_by()} LIMIT %(rows)s""",
        f"""(SELECT image.id FROM candidates AS image ORDER BY {order.order_by()} LIMIT 1) AS first,
            (SELECT image.id FROM candidates AS image ORDER BY image.id {backward} LIMIT 1) AS edge""",
        order,
        {**conditions.values, "id": place and str(place), "rows": rows, "wanted": wanted},
    )


def _search_range(conditions: Conditions, place: UUID, time_range: TimeRange, wanted: int) -> _Found:
    """Ask the GIN index for a range of time; the edge is the first image behind it. There are no rows when
    there are more than MAX_CANDIDATES.
    """
    order = conditions.order
    narrowed, values = conditions.narrow(time_range.tokens)
    if order.descending:
        inside, behind, end = "image.id >= %(end)s", "image.id < %(end)s", smallest_id(time_range.start)
    else:
        inside, behind, end = "image.id <= %(end)s", "image.id > %(end)s", largest_id(time_range.end - 1)
    values |= {"id": str(place), "end": str(end), "most": MAX_CANDIDATES + 1, "wanted": wanted}
    found = _select(
        f"""SELECT image.id, ({conditions.all} AND {order.after} AND {inside}) AS hit
            FROM image_metadata AS image WHERE {narrowed} LIMIT %(most)s""",
        f"""NULL AS first,
            (SELECT image.id FROM image_metadata AS image WHERE {" AND ".join([*conditions.bounds, behind])}
             ORDER BY {order.order_by()} LIMIT 1) AS edge""",
        order,
        {**conditions.values, **values},
    )
    return found if found.candidates <= MAX_CANDIDATES else found._replace(rows=[])


def _next_range(conditions: Conditions, place: UUID, length: int) -> TimeRange:
    """The time after a place, of at least ``length`` milliseconds where there is so much."""
    now = milliseconds_of(place)
    if conditions.order.descending:
        start, end = max(conditions.earliest, now - length), now + 1
    else:
        start, end = now, min(conditions.latest, now + length + 1)
    return cover_time(start, end) or TimeRange(0, MAX_MILLISECONDS, [])


def _select(candidates: str, places: str, order: Order, values: dict[str, Any]) -> _Found:
    """Run a statement that reads candidates, and get the rows of the first hits in order.

    Args:
        candidates: the SELECT of ``id``, the order's key and ``hit``.
        places: the expressions of ``first`` and ``edge``.
    """
    key = f", image.{order.key}" if order.key else ""
    # Joined to one row, which is there when there are no hits.
    found = db.query(
        f"""WITH candidates AS MATERIALIZED ({candidates}),
            page AS (SELECT image.id{key} FROM candidates AS image WHERE hit
                     ORDER BY {order.order_by()} LIMIT %(wanted)s)
            SELECT (SELECT count(*) FROM candidates) AS candidates, {places}, {_columns(order)}
            FROM (VALUES (1)) AS one
            LEFT JOIN (page JOIN image_metadata AS image ON image.id = page.id) ON true
            ORDER BY {order.order_by()}""",
        values,
    )
    first, edge = (UUID(found[0][name]) if found[0][name] else None for name in ("first", "edge"))
    return _Found([row for row in found if row["id"]], found[0]["candidates"], first, edge)


def _columns(order: Order) -> str:
    return f"{COLUMNS}, image.{order.key} AS key" if order.key else COLUMNS


def _place(position: Position | None) -> dict[str, Any]:
    return {"key": position.key, "id": str(position.id)} if position else {}
