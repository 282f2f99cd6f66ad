"""Finding a page of images with a bounded amount of work, however many there are.

There are two ways to find what matches. *Walking* goes along the index of the order that is asked for and
looks at each row: quick when much matches. *Narrowing* asks the inverted index for what matches and sorts it:
for one stretch of time after another where the order is one of time, and otherwise for all at once, which is
quick when little matches. Which one is better follows from how much matches, which a short walk tells: it
finds the page right away when much matches, and otherwise an estimate. (PostgreSQL's planner chooses between
the same two by statistics, which know nothing of pairs of characters, and a wrong choice there costs
seconds.)

Where neither finds a whole page within its bound, the page is short, and its cursor tells where to go on.
"""

import math
import time
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

from imageapi import db
from imageapi.cursors import Position
from imageapi.errors import InvalidRequestError
from imageapi.listing import ListQuery
from imageapi.moments import cover, milliseconds_of
from imageapi.orders import ORDERS, TIERS, Order
from imageapi.rows import COLUMNS
from imageapi.scans import Scan, make_scan

SAMPLE_ROWS = 500
"""How many rows the first, short walk looks at."""
LONG_SAMPLE_ROWS = 2_000
"""The same in an order that is not of time: the inverted index then costs more, and so does a wrong guess."""
WORTH_WALKING = 1_500
"""The rows up to which walking costs less than asking the inverted index for a stretch of time."""
MAX_WALKED_ROWS = 50_000
MAX_STRETCHES = 3
SAFETY = 1.5
"""How much more is looked at than the hits seen so far ask for."""
MAX_NARROWED_ROWS = 20_000
EXACT_TOTAL = 1_000
"""Up to here a total is counted, beyond it is estimated."""
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
    """Where looking has to go on; None at the beginning."""
    complete: bool
    """Whether nothing is left to look at."""
    elapsed: int = 0
    """Milliseconds between the first and the last row that a walk has looked at."""


class _Estimate(NamedTuple):
    rows: int
    read_at: float


_estimate: _Estimate | None = None


def find_page(query: ListQuery, position: Position | None) -> Page:
    """The page after a position, or the first.

    Raises:
        InvalidRequestError: ``cursor_invalid``: the position does not fit the order.
    """
    order = ORDERS[query.sort]
    if position and not _fits(position.key, order):
        raise InvalidRequestError("The cursor does not fit this list.", code="cursor_invalid")
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
    narrowing = [scan.NARROWING] if "tokens" in scan.values else []
    hit = " AND ".join(scan.residual) or "TRUE"
    counted = db.query(
        f"""WITH candidates AS MATERIALIZED (
                SELECT {hit} AS hit FROM image_metadata WHERE {scan.sql(*narrowing)} LIMIT %(most)s)
            SELECT count(*) AS candidates, count(*) FILTER (WHERE hit) AS images FROM candidates""",
        scan.parameters(most=EXACT_TOTAL + 1),
    )[0]
    if counted["candidates"] <= EXACT_TOTAL:
        return {"value": counted["images"], "relation": "exact"}
    estimate = _estimate_total(scan, counted["images"] / counted["candidates"])
    return {"value": max(estimate, counted["images"]), "relation": "estimate"}


def _estimate_total(scan: Scan, share: float) -> int:
    """How many rows there are by PostgreSQL's statistics, which know how frequent one token is, but nothing
    of substrings, nor of tokens together.

    Args:
        share: of what the inverted index finds, how much has turned out to be a hit.
    """
    if "tokens" not in scan.values:
        return _explain(scan.sql(*scan.residual), scan.parameters())
    tokens = scan.values["tokens"][:MAX_EXPLAINED_TOKENS]
    return int(share * min(_explain(scan.sql(scan.NARROWING), scan.parameters(tokens=[t])) for t in tokens))


def _explain(where: str, parameters: dict[str, Any]) -> int:
    plan = db.query(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM image_metadata WHERE {where}", parameters)
    return int(plan[0]["QUERY PLAN"][0]["Plan"]["Plan Rows"])


def _fits(key: str | int | None, order: Order) -> bool:
    """A cursor is not signed: what is in it may be anything that anyone writes."""
    return type(key) is order.key_type and not (isinstance(key, int) and abs(key) >= 2**63)


def _read_page(scan: Scan, limit: int) -> Page:
    """The page itself, where an index gives just the rows that are wanted."""
    order = scan.order
    rows = db.query(
        f"""SELECT {COLUMNS}, {order.key} AS sort_key FROM image_metadata
            WHERE {scan.sql()} ORDER BY {order.forward} LIMIT %(rows)s""",
        scan.parameters(rows=limit + 1),
    )
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], Position(scan.tier, last["sort_key"], UUID(last["id"])))


def _find(scan: Scan, wanted: int) -> _Found:
    """Up to ``wanted`` hits of one tier, whose rows have to be looked for."""
    sample_rows = SAMPLE_ROWS if scan.order.direction else LONG_SAMPLE_ROWS
    sample = _walk(scan, sample_rows, wanted)
    if sample.complete or len(sample.hits) >= wanted:
        return sample
    missing = wanted - len(sample.hits)
    rate = _rate(sample.hits, sample_rows)
    to_walk = math.ceil(missing / rate * SAFETY)
    # In an order of time the index is asked for a stretch of it, in another for all hits.
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
    """How many hits there probably are in one of what was looked at; above zero also when none was seen."""
    return (len(hits) + 0.5) / looked_at


def _search(scan: Scan, sample: _Found, wanted: int) -> _Found:
    """Ask the inverted index for one stretch of time after another, each as long as what is known by then
    says that it has to be, and at last for all that is left.
    """
    hits: list[Position] = []
    elapsed = max(1, sample.elapsed)
    per_row = elapsed / SAMPLE_ROWS
    for _ in range(MAX_STRETCHES if scan.order.direction else 0):
        missing = wanted - len(hits)
        needed = math.ceil(missing / _rate(sample.hits + hits, elapsed) * SAFETY)
        stretch = scan.next_stretch(needed) if needed / per_row < _estimated_rows() else None
        if not stretch:
            break
        found = _narrow(scan.within(stretch), missing)
        hits += found.hits
        if not found.complete:
            return _Found(hits, found.last, complete=False)
        beyond = scan.beyond(stretch)
        if not beyond:
            return _Found(hits, None, complete=True)
        scan = beyond
        elapsed += stretch.end - stretch.start
    span = cover(scan.earliest, scan.latest)
    found = _narrow(scan.within(span) if span else scan, wanted - len(hits))
    return found._replace(hits=hits + found.hits)


def _walk(scan: Scan, rows: int, wanted: int) -> _Found:
    """Look at the next ``rows`` rows in order, and at none behind the last hit that is wanted: PostgreSQL
    reads ``walked`` only as far as it is asked for, in its order.
    """
    hit = " AND ".join(scan.residual)
    order = scan.order
    found = db.query(
        f"""WITH walked AS MATERIALIZED (
                SELECT id, {order.key} AS key, {order.key} AS {_key_name(order)}, {hit} AS hit
                FROM image_metadata WHERE {scan.sql()} ORDER BY {order.forward} LIMIT %(rows)s),
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
    """Ask the inverted index for what may match, check it, and sort it. All or nothing: when more may match
    than is worth checking, nothing is known, and looking has to go on from where it began.
    """
    order = scan.order
    found = db.query(
        f"""WITH candidates AS MATERIALIZED (
                SELECT id, {order.key} AS key, {order.key} AS {_key_name(order)},
                       {" AND ".join(scan.residual)} AS hit
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
    """The name that ORDER BY knows the key by, inside the query as outside."""
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
