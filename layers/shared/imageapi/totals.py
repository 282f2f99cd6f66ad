"""How many images there are, without counting them all."""

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from imageapi import db
from imageapi.keys import SAMPLE_SHIFTS, sample_key, sample_shift
from imageapi.listing import ListQuery
from imageapi.scans import ONLY_BITMAPS, Scan, make_scan

EXACT_TOTAL = 1_000
"""Totals up to here are counted; larger ones may be estimated."""
MAX_COUNTED = 10_000
"""How many rows are looked at for one."""
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
    if scan.narrowing:
        return _count_narrowed(scan)
    order = f"ORDER BY {scan.forward}" if scan.partition else ""
    candidates, images = _count(scan, f"{scan.sql(*scan.partition)} {order}", EXACT_TOTAL + 1)
    if candidates <= EXACT_TOTAL:
        return {"value": images, "relation": "exact"}
    estimate = _explain(scan.sql(*scan.partition, *scan.residual), scan.parameters())
    return {"value": max(estimate, images), "relation": "estimate"}


def _count_narrowed(scan: Scan) -> dict[str, Any]:
    """Where many rows have the rarest token, those in a sample are counted, unless they are but few."""
    most = estimate_rows() * estimate_share(scan.values["tokens"])
    shift = sample_shift(most, EXACT_TOTAL)
    if shift >= SAMPLE_SHIFTS[0]:
        sample = scan.within([sample_key(shift)])
        _, images = _count(sample, sample.sql(*sample.narrowing), MAX_COUNTED)
        if images << shift > 2 * EXACT_TOTAL:
            return {"value": images << shift, "relation": "estimate"}
    candidates, images = _count(scan, scan.sql(*scan.narrowing), MAX_COUNTED)
    is_exact = candidates < MAX_COUNTED
    estimate = images if is_exact else max(images, int(most * images / candidates))
    return {"value": estimate, "relation": "exact" if is_exact else "estimate"}


def _count(scan: Scan, where: str, most: int) -> tuple[int, int]:
    """How many rows a condition finds, up to a limit, and how many of them are hits."""
    (counted,) = db.query(
        f"""{ONLY_BITMAPS if scan.narrowing else ""}
            WITH candidates AS MATERIALIZED (
                SELECT {scan.checked} AS hit FROM image_metadata WHERE {where} LIMIT %(most)s)
            SELECT count(*) AS candidates, count(*) FILTER (WHERE hit) AS images FROM candidates""",
        scan.parameters(most=most),
    )
    return counted["candidates"], counted["images"]


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
