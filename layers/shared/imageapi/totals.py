"""How many images there are, without counting them all."""

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from imageapi import db
from imageapi.listing import ListQuery
from imageapi.scans import Scan, make_scan

EXACT_TOTAL = 1_000
"""Totals up to here are counted, larger ones are estimated."""
STATISTICS_MAX_AGE = 300.0
"""Seconds."""


class _Statistics(NamedTuple):
    rows: int
    shares: dict[int, float]
    """Of the most common tokens: which part of all rows has it."""
    least: float
    """The smallest of these; 1 without any."""
    read_at: float


_statistics: _Statistics | None = None


def count_images(query: ListQuery) -> dict[str, Any]:
    """How many images the whole list has: ``{"value": int, "relation": "exact" | "estimate"}``."""
    scan = make_scan(query, 0, None, tiered=False)
    hit = " AND ".join([*scan.partition, *scan.residual]) or "TRUE"
    counted = db.query(
        f"""WITH candidates AS MATERIALIZED (
                SELECT {hit} AS hit FROM image_metadata
                WHERE {scan.sql(*(scan.narrowing or scan.partition))} LIMIT %(most)s)
            SELECT count(*) AS candidates, count(*) FILTER (WHERE hit) AS images FROM candidates""",
        scan.parameters(most=EXACT_TOTAL + 1),
    )[0]
    if counted["candidates"] <= EXACT_TOTAL:
        return {"value": counted["images"], "relation": "exact"}
    estimate = _estimate_total(scan, counted["images"] / counted["candidates"])
    return {"value": max(estimate, counted["images"]), "relation": "estimate"}


def _estimate_total(scan: Scan, share: float) -> int:
    """How many rows match.

    Args:
        share: which part of the rows that the inverted index finds are hits, 0 to 1.
    """
    if not scan.narrowing:
        return _explain(scan.sql(*scan.partition, *scan.residual), scan.parameters())
    rows = _explain(scan.sql(), scan.parameters()) if scan.bounds else estimate_rows()
    return int(share * estimate_share(scan.values["tokens"]) * rows)


def estimate_rows() -> int:
    """How many rows there are."""
    return _read_statistics().rows


def estimate_share(tokens: Iterable[int]) -> float:
    """At most this part of all rows has all of these tokens: as many as have the rarest one."""
    statistics = _read_statistics()
    return min((statistics.shares.get(token, statistics.least) for token in tokens), default=1.0)


def _read_statistics() -> _Statistics:
    """PostgreSQL's statistics of the table; read again when older than STATISTICS_MAX_AGE."""
    global _statistics
    if _statistics is None or time.monotonic() - _statistics.read_at > STATISTICS_MAX_AGE:
        (row,) = db.query(
            """SELECT reltuples::bigint AS rows, common.tokens, common.shares
               FROM pg_class LEFT JOIN (
                   SELECT most_common_elems::text::integer[] AS tokens, most_common_elem_freqs AS shares
                   FROM pg_stats WHERE schemaname = current_schema()
                       AND tablename = 'image_metadata' AND attname = 'tokens') AS common ON true
               WHERE oid = 'image_metadata'::regclass"""
        )
        # Behind the frequencies of the tokens, PostgreSQL keeps the smallest and the largest of them.
        shares = dict(zip(row["tokens"] or (), row["shares"] or (), strict=False))
        least = min(shares.values(), default=1.0)
        _statistics = _Statistics(max(1, row["rows"]), shares, least, time.monotonic())
    return _statistics


def _explain(where: str, parameters: dict[str, Any]) -> int:
    plan = db.query(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM image_metadata WHERE {where}", parameters)
    return int(plan[0]["QUERY PLAN"][0]["Plan"]["Plan Rows"])
