"""The two ways of finding the rows of a list: walking along an index, and narrowing by the inverted one."""

from typing import NamedTuple
from uuid import UUID

from imageapi import db
from imageapi.cursors import Position
from imageapi.moments import milliseconds_of
from imageapi.orders import Order
from imageapi.scans import ONLY_BITMAPS, Scan


class Found(NamedTuple):
    """What a statement, or several, have found."""

    hits: list[Position]
    last: Position | None
    """The last row that was read, where the next search continues; None before the first row."""
    complete: bool
    """Whether all rows have been read."""
    rows: int = 0
    """How many rows a walk was to read."""
    elapsed: int = 0
    """Milliseconds between the first and the last of them."""

    @property
    def is_too_much(self) -> bool:
        """Whether there is no result, since there were too many candidates."""
        return not (self.hits or self.complete)


def walk(scan: Scan, rows: int, wanted: int) -> Found:
    """Read the next ``rows`` rows in order, but none after the last wanted hit: PostgreSQL computes
    ``walked`` only as far as ``hits`` reads it.
    """
    order = scan.order
    hit, where = " AND ".join(scan.residual), scan.sql(*scan.partition)
    found = db.query(
        f"""WITH walked AS MATERIALIZED (
                SELECT id, {order.key} AS key, {order.key} AS {_key_name(order)}, {hit} AS hit
                FROM image_metadata WHERE {where} ORDER BY {scan.forward} LIMIT %(rows)s),
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
        return Found([], None, complete=True)
    positions = [Position(scan.tier, row["key"], UUID(row["id"])) for row in found]
    if found[-1]["n"] is None:
        return Found(positions[:-1], positions[-2], complete=False)
    *hits, first, last = positions
    elapsed = abs(milliseconds_of(last.id) - milliseconds_of(first.id))
    return Found(hits, last, found[-1]["n"] < rows, rows, elapsed)


def narrow(scan: Scan, wanted: int, most: int) -> Found:
    """Get candidates from the inverted index, check and sort them.

    Args:
        most: when there are so many candidates, there is no result, and the search has to continue from the
            same position.
    """
    order = scan.order
    found = db.query(
        f"""{ONLY_BITMAPS}
            WITH candidates AS MATERIALIZED (
                SELECT id, {order.key} AS key, {order.key} AS {_key_name(order)},
                       {scan.checked} AS hit
                FROM image_metadata WHERE {scan.sql(*scan.narrowing)} LIMIT %(rows)s)
            (SELECT id, key, NULL AS n FROM candidates WHERE hit ORDER BY {order.forward} LIMIT %(wanted)s)
            UNION ALL
            (SELECT NULL, NULL, (SELECT count(*) FROM candidates))""",
        scan.parameters(rows=most, wanted=wanted),
    )
    looked_at = found.pop()["n"]
    if looked_at >= most:
        return Found([], scan.position, complete=False)
    hits = [Position(scan.tier, row["key"], UUID(row["id"])) for row in found]
    return Found(hits, hits[-1] if hits else scan.position, complete=len(hits) < wanted)


def _key_name(order: Order) -> str:
    """A column name under which ORDER BY finds the key in the subquery and outside of it."""
    return order.key if order.key_type is not type(None) else "no_key"
