"""Finding a page of images with a bounded amount of work, however many there are.

There are two ways to find the matching rows. *Walking* reads the index of the wanted order and checks each
row: quick when many rows match. *Narrowing* asks the inverted index for the matching rows and sorts them:
quick when few rows match, and done for one stretch of the list after another (see ``stretches``). A short
walk decides: it either finds the whole page, or shows how frequent matches are. (PostgreSQL's planner chooses
between the same two by its statistics, which know nothing of pairs of characters and take everything for
evenly spread, and a wrong choice costs seconds.)

Where neither finds a whole page within its limits, the page is short, and its cursor says where to continue.
"""

import math
from dataclasses import dataclass, replace
from uuid import UUID

from imageapi import db
from imageapi.cursors import InvalidCursorError, Position
from imageapi.finding import Found, walk
from imageapi.listing import ListQuery
from imageapi.orders import ORDERS, TIERS, Order
from imageapi.rows import COLUMNS
from imageapi.scans import Scan, make_scan
from imageapi.stretches import SAFETY, estimate_rate, search

SAMPLE_ROWS = 500
"""How many rows the first, short walk reads."""
WORTH_WALKING = 1_500
"""Walking up to so many rows costs less than asking the inverted index."""
MAX_WALKED_ROWS = 20_000
"""The longest walk, where the inverted index is of no help."""


@dataclass(frozen=True)
class Page:
    """The rows of a page in order, and where it ended; None when nothing comes after it."""

    rows: list[db.Row]
    next_position: Position | None


def find_page(query: ListQuery, position: Position | None) -> Page:
    """The page after a position, or the first.

    Raises:
        InvalidCursorError: the position does not fit the order.
    """
    order = ORDERS[query.sort]
    if position and not _fits(position.key, order):
        raise InvalidCursorError("The cursor does not fit this list.")
    tiers = len(TIERS) if query.sort == "relevance" else 1
    hits: list[Position] = []
    wanted = query.limit + 1
    for tier in range(position.tier if position else 0, tiers):
        start = position if position and position.tier == tier else None
        scan = make_scan(query, tier, start)
        if not scan.residual:
            return _read_page(scan, query.limit)
        found = _find(scan, wanted - len(hits))
        hits += found.hits
        if len(hits) == wanted:
            return Page(_fetch(hits[:-1]), hits[-2])
        if not found.complete:
            return Page(_fetch(hits), found.last)
    return Page(_fetch(hits), None)


def _fits(key: str | int | None, order: Order) -> bool:
    """Whether a cursor's key can be compared in this order. Cursors are not signed: anyone can write one."""
    return type(key) is order.key_type and not (isinstance(key, int) and abs(key) >= 2**63)


def _read_page(scan: Scan, limit: int) -> Page:
    """The page, where an index has exactly the rows of the list in their order."""
    order = scan.order
    rows = db.query(
        f"""SELECT {COLUMNS}, {order.key} AS sort_key FROM image_metadata
            WHERE {scan.sql(*scan.partition)} ORDER BY {scan.forward} LIMIT %(rows)s""",
        scan.parameters(rows=limit + 1),
    )
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], Position(scan.tier, last["sort_key"], UUID(last["id"])))


def _find(scan: Scan, wanted: int) -> Found:
    """Up to ``wanted`` hits of one tier, by walking or narrowing."""
    sample = walk(scan, SAMPLE_ROWS, wanted)
    if sample.complete or len(sample.hits) >= wanted:
        return sample
    missing = wanted - len(sample.hits)
    to_walk = math.ceil(missing / estimate_rate(len(sample.hits), SAMPLE_ROWS) * SAFETY)
    found = Found([], sample.last, complete=False)
    if scan.narrowing and to_walk > WORTH_WALKING:
        found = search(scan, sample, missing)
    if found.is_too_much:
        rest = replace(scan, position=found.last)
        walked = walk(rest, min(max(to_walk, SAMPLE_ROWS), MAX_WALKED_ROWS), missing)
        found = walked._replace(last=walked.last or found.last)
    return found._replace(hits=sample.hits + found.hits)


def _fetch(positions: list[Position]) -> list[db.Row]:
    """The rows of these positions, in their order; one that has gone since is left out."""
    if not positions:
        return []
    ids = [str(position.id) for position in positions]
    found = db.query(
        f"SELECT {COLUMNS} FROM image_metadata WHERE id = ANY(%s::uuid[]) AND status = 'ready'", (ids,)
    )
    rows = {row["id"]: row for row in found}
    return [rows[image_id] for image_id in ids if image_id in rows]
