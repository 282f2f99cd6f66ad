"""Find a page of a list by one of two plans (see ``imageapi.search``)."""

from uuid import UUID

from imageapi.database import db
from imageapi.errors import InvalidCursorError
from imageapi.search import counts
from imageapi.search.conditions import make_conditions
from imageapi.search.cursors import Position
from imageapi.search.list_parameters import ListQuery
from imageapi.search.scan_index import scan_index
from imageapi.search.sort_matches import sort_matches
from imageapi.search.sort_orders import ORDERS, TIERS, Order
from imageapi.search.time_search import TimeSearch

MAX_STATEMENTS = 8
"""Per request, including the statements that count its total."""

_Page = tuple[list[db.Row], Position | None]
"""The rows of a page in order, and its end; None if it is the last page."""


def find_page(query: ListQuery, position: Position | None) -> _Page:
    """The page after a position, or the first.

    Raises:
        InvalidCursorError: the position does not fit the order.
        UnprocessableError: ``too_many_to_sort``.
    """
    order, conditions = ORDERS[query.sort], make_conditions(query)
    if position and not _fits(position.key, order):
        raise InvalidCursorError("The cursor does not fit this list. Start over without a cursor.")
    wanted = query.limit + 1
    if conditions.follows_index:
        return _make_page(scan_index(conditions, position, wanted), wanted)
    if order.key or query.hashes:
        return _make_page(sort_matches(query, conditions, position, wanted), wanted)
    search = TimeSearch(wanted, MAX_STATEMENTS - (counts.STATEMENTS if query.total else 0))
    tiers = TIERS if query.sort == "relevance" else (None,)
    for tier in range(position.tier if position else 0, len(tiers)):
        place = position.id if position and position.tier == tier else None
        place = search.read_tier(make_conditions(query, tiers[tier]), tier, place)
        if place or not search.missing:
            return _make_page(search.hits, wanted, Position(tier, None, place) if place else None)
    return _make_page(search.hits, wanted)


def _fits(key: str | int | None, order: Order) -> bool:
    """Whether a cursor's key can be compared in this order. Cursors are unsigned, so any key is possible."""
    return type(key) is order.key_type and not (isinstance(key, int) and abs(key) >= 2**63)


def _make_page(rows: list[db.Row], wanted: int, unread: Position | None = None) -> _Page:
    """``rows``: up to ``wanted``; the last one only proves that there are more. ``unread``: where to continue
    if there are fewer.
    """
    if len(rows) < wanted:
        return rows, unread
    last = rows[-2]
    return rows[:-1], Position(last.get("tier", 0), last.get("key"), UUID(last["id"]))
