"""Finding a page of images with a bounded amount of work, however many there are.

There are two ways to find the matching rows. *Walking* reads the index of the wanted order and checks each
row: quick when many rows match. *Narrowing* asks the inverted index for the matching rows and sorts them:
quick when few rows match. In an order of time it does so for one range of time after another, otherwise for
all rows at once. A short walk decides: it either finds the whole page, or shows how frequent matches are.
(PostgreSQL's planner chooses between the same two by its statistics, which know nothing of pairs of
characters, and a wrong choice costs seconds.)

Where neither finds a whole page within its limits, the page is short, and its cursor says where to continue.
"""

import math
import time
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

from imageapi import db
from imageapi.cursors import InvalidCursorError, Position
from imageapi.listing import ListQuery
from imageapi.moments import cover, milliseconds_of
from imageapi.orders import ORDERS, TIERS, Order
from imageapi.rows import COLUMNS
from imageapi.scans import Scan, make_scan

SAMPLE_ROWS = 500
"""How many rows the first, short walk reads."""
LONG_SAMPLE_ROWS = 2_000
"""The same in an order that is not of time, where narrowing costs more, and so does a wrong decision."""
WORTH_WALKING = 1_500
"""Walking up to so many rows costs less than narrowing one range of time."""
MAX_WALKED_ROWS = 50_000
MAX_RANGES = 3
SAFETY = 1.5
"""Factor: how many more rows are read than the frequency of hits suggests."""
MAX_NARROWED_ROWS = 20_000
EXACT_TOTAL = 1_000
"""Totals up to here are counted, larger ones are estimated."""
MAX_EXPLAINED_TOKENS = 8
ESTIMATE_MAX_AGE = 300.0
"""Seconds."""


@dataclass(frozen=True)
class Page:
    """The rows of a page in order, and where it ended; None when nothing comes after it."""

    rows: list[db.Row]
    next_position: Position | None


class _Found(NamedTuple):
    hits: list[Position]
    last: Position | None
    """The last row that was read, where the next search continues; None before the first row."""
    complete: bool
    """Whether all rows have been read."""
    elapsed: int = 0
    """Milliseconds between the first and the last row that a walk has read."""


class _Estimate(NamedTuple):
    rows: int
    read_at: float


_estimate: _Estimate | None = None


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


def count_images(query: ListQuery) -> dict[str, Any]:
    """How many images the whole list has: ``{"value": int, "relation": "exact" | "estimate"}``."""
    scan = make_scan(query, 0, None, tiered=False)
    source = [scan.NARROWING] if "tokens" in scan.values else scan.partition
    hit = " AND ".join([*scan.partition, *scan.residual]) or "TRUE"
    counted = db.query(
        f"""WITH candidates AS MATERIALIZED (
                SELECT {hit} AS hit FROM image_metadata WHERE {scan.sql(*source)} LIMIT %(most)s)
            SELECT count(*) AS candidates, count(*) FILTER (WHERE hit) AS images FROM candidates""",
        scan.parameters(most=EXACT_TOTAL + 1),
    )[0]
    if counted["candidates"] <= EXACT_TOTAL:
        return {"value": counted["images"], "relation": "exact"}
    estimate = _estimate_total(scan, counted["images"] / counted["candidates"])
    return {"value": max(estimate, counted["images"]), "relation": "estimate"}


def _estimate_total(scan: Scan, share: float) -> int:
    """How many rows match by PostgreSQL's statistics, which know the frequency of single tokens, but not of
    substrings or of combinations of tokens.

    Args:
        share: which part of the rows that the inverted index finds are hits, 0 to 1.
    """
    if "tokens" not in scan.values:
        return _explain(scan.sql(*scan.partition, *scan.residual), scan.parameters())
    tokens = scan.values["tokens"][:MAX_EXPLAINED_TOKENS]
    return int(share * min(_explain(scan.sql(scan.NARROWING), scan.parameters(tokens=[t])) for t in tokens))


def _explain(where: str, parameters: dict[str, Any]) -> int:
    plan = db.query(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM image_metadata WHERE {where}", parameters)
    return int(plan[0]["QUERY PLAN"][0]["Plan"]["Plan Rows"])


def _fits(key: str | int | None, order: Order) -> bool:
    """Whether a cursor's key can be compared in this order. Cursors are not signed: anyone can write one."""
    return type(key) is order.key_type and not (isinstance(key, int) and abs(key) >= 2**63)


def _read_page(scan: Scan, limit: int) -> Page:
    """The page, where an index has exactly the rows of the list in their order."""
    order = scan.order
    rows = db.query(
        f"""SELECT {COLUMNS}, {order.key} AS sort_key FROM image_metadata
            WHERE {scan.sql(*scan.partition)} ORDER BY {order.forward} LIMIT %(rows)s""",
        scan.parameters(rows=limit + 1),
    )
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], Position(scan.tier, last["sort_key"], UUID(last["id"])))


def _find(scan: Scan, wanted: int) -> _Found:
    """Up to ``wanted`` hits of one tier, by walking or narrowing."""
    sample_rows = SAMPLE_ROWS if scan.order.direction else LONG_SAMPLE_ROWS
    sample = _walk(scan, sample_rows, wanted)
    if sample.complete or len(sample.hits) >= wanted:
        return sample
    missing = wanted - len(sample.hits)
    rate = _rate(sample.hits, sample_rows)
    to_walk = math.ceil(missing / rate * SAFETY)
    # In an order of time one range at a time is narrowed, in another one all rows.
    worth_walking = WORTH_WALKING if scan.order.direction else rate * _estimated_rows()
    found = _Found([], sample.last, complete=False)
    if "tokens" in scan.values and to_walk > worth_walking:
        found = _search(replace(scan, position=sample.last), sample, missing)
    if not (found.hits or found.complete):
        rest = replace(scan, position=found.last)
        walked = _walk(rest, min(max(to_walk, sample_rows), MAX_WALKED_ROWS), missing)
        found = walked._replace(last=walked.last or found.last)
    return found._replace(hits=sample.hits + found.hits)


def _rate(hits: list[Position], looked_at: int) -> float:
    """Estimated hits per row (or millisecond) that was read; above zero also when there was no hit."""
    return (len(hits) + 0.5) / looked_at


def _search(scan: Scan, sample: _Found, wanted: int) -> _Found:
    """Narrow one range of time after another, each as long as the hits so far suggest, and at last all the
    remaining time.
    """
    hits: list[Position] = []
    elapsed = max(1, sample.elapsed)
    per_row = elapsed / SAMPLE_ROWS
    for _ in range(MAX_RANGES if scan.order.direction else 0):
        missing = wanted - len(hits)
        needed = math.ceil(missing / _rate(sample.hits + hits, elapsed) * SAFETY)
        time_range = scan.next_range(needed) if needed / per_row < _estimated_rows() else None
        if not time_range:
            break
        found = _narrow(scan.within(time_range), missing)
        hits += found.hits
        if not found.complete:
            return _Found(hits, found.last, complete=False)
        beyond = scan.beyond(time_range)
        if not beyond:
            return _Found(hits, None, complete=True)
        scan = beyond
        elapsed += time_range.end - time_range.start
    span = cover(scan.earliest, scan.latest)
    found = _narrow(scan.within(span) if span else scan, wanted - len(hits))
    return found._replace(hits=hits + found.hits)


def _walk(scan: Scan, rows: int, wanted: int) -> _Found:
    """Read the next ``rows`` rows in order, but none after the last wanted hit: PostgreSQL computes
    ``walked`` only as far as ``hits`` reads it.
    """
    hit = " AND ".join(scan.residual)
    order = scan.order
    found = db.query(
        f"""WITH walked AS MATERIALIZED (
                SELECT id, {order.key} AS key, {order.key} AS {_key_name(order)}, {hit} AS hit
                FROM image_metadata WHERE {scan.sql(*scan.partition)} ORDER BY {order.forward} LIMIT %(rows)s),
            hits AS MATERIALIZED (SELECT id, key FROM walked WHERE hit LIMIT %(wanted)s)
            SELECT id, key, NULL::bigint AS n FROM hits
            UNION ALL
            (SELECT id, key, NULL FROM walked LIMIT 1)
            UNION ALL
            (SELECT id, key, (SELECT count(*) FROM walked) FROM walked
             WHERE (SELECT count(*) FROM hits) < %(wanted)s ORDER BY {order.backward} LIMIT 1)""",
        scan.parameters(rows=rows, wanted=wanted),
    )
    if not found:
        return _Found([], None, complete=True)
    positions = [Position(scan.tier, row["key"], UUID(row["id"])) for row in found]
    if found[-1]["n"] is None:
        return _Found(positions[:-1], positions[-2], complete=False)
    *hits, first, last = positions
    elapsed = abs(milliseconds_of(last.id) - milliseconds_of(first.id))
    return _Found(hits, last, found[-1]["n"] < rows, elapsed)


def _narrow(scan: Scan, wanted: int) -> _Found:
    """Get candidates from the inverted index, check and sort them. When there are MAX_NARROWED_ROWS or more,
    the result is empty, and the search has to continue from the same position.
    """
    order = scan.order
    found = db.query(
        f"""WITH candidates AS MATERIALIZED (
                SELECT id, {order.key} AS key, {order.key} AS {_key_name(order)},
                       {" AND ".join([*scan.partition, *scan.residual])} AS hit
                FROM image_metadata WHERE {scan.sql(scan.NARROWING)} LIMIT %(rows)s)
            (SELECT id, key, NULL AS n FROM candidates WHERE hit ORDER BY {order.forward} LIMIT %(wanted)s)
            UNION ALL
            (SELECT NULL, NULL, (SELECT count(*) FROM candidates))""",
        scan.parameters(rows=MAX_NARROWED_ROWS, wanted=wanted),
    )
    looked_at = found.pop()["n"]
    if looked_at >= MAX_NARROWED_ROWS:
        return _Found([], scan.position, complete=False)
    hits = [Position(scan.tier, row["key"], UUID(row["id"])) for row in found]
    return _Found(hits, hits[-1] if hits else scan.position, complete=len(hits) < wanted)


def _key_name(order: Order) -> str:
    """A column name under which ORDER BY finds the key in the subquery and outside of it."""
    return order.key if order.key_type is not type(None) else "no_key"


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


def _estimated_rows() -> int:
    """How many rows there are, by PostgreSQL's statistics; read again when older than ESTIMATE_MAX_AGE."""
    global _estimate
    if _estimate is None or time.monotonic() - _estimate.read_at > ESTIMATE_MAX_AGE:
        rows = db.query("SELECT reltuples::bigint AS n FROM pg_class WHERE oid = 'image_metadata'::regclass")
        _estimate = _Estimate(max(1, int(rows[0]["n"])), time.monotonic())
    return _estimate.rows
