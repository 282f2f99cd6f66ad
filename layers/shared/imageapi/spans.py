"""Spans: parts of a list that begin at a position, as keys and conditions for the inverted index."""

from typing import NamedTuple
from uuid import UUID

from imageapi import db
from imageapi.cursors import Position
from imageapi.keys import (
    AFTER_ALL,
    AFTER_ASCII,
    TITLE_END,
    TITLE_LENGTHS,
    size_keys,
    time_keys,
    title_beginning,
    title_keys,
)
from imageapi.moments import milliseconds_of
from imageapi.scans import Scan

MAX_BEGINNINGS = 200
"""How many buckets of titles a span may have; it ends before the next one."""

_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)


class Span(NamedTuple):
    """A part of a list."""

    scan: Scan
    end: Position | None
    """The position behind it; None where the list ends."""
    hits: int
    """How many of the known hits are in it."""


def span_until(scan: Scan, hits: list[Position], index: int, spare: int) -> Span:
    """The span from the scan's position to a hit, or a little further.

    Args:
        hits: some hits of the whole list, in order.
        index: of the hit, among those behind the position; when there are fewer, it is all that is left.
        spare: so many of the hits before the position may be in buckets of the span. What is in vain there is
            sorted out, and the buckets are fewer.
    """
    here = scan.position
    assert here
    behind = [hit for hit in hits if scan.follows(hit, here)]
    before = hits[-len(behind) - spare - 1] if len(behind) + spare < len(hits) else None
    border = behind[index] if index < len(behind) else None
    if border and border.key == here.key:
        return Span(_within_key(scan, border), border, index + 1)
    if scan.order.direction:
        return Span(_within_key(scan, None), None, len(behind))
    last = _LAST if scan.order.is_ascending else _FIRST
    if before and before.key == here.key and here.id != last:
        # Many have this very key. What is left of them comes first, since their bucket holds all of them.
        inside = sum(hit.key == here.key for hit in behind)
        return Span(_within_key(scan, None), here._replace(id=last), inside)
    if isinstance(here.key, int):
        return _by_size(scan, here.key, behind, border)
    return _by_title(scan, str(before.key) if before else None, behind, index)


def _within_key(scan: Scan, border: Position | None) -> Scan:
    """From the position to another one with the same sort key (in an order of time, to any), inclusive; or
    all that has this key from there on.
    """
    here, ascending = scan.position, scan.order.is_ascending
    assert here
    now, then = milliseconds_of(here.id), milliseconds_of(border.id) if border else None
    if ascending:
        times = time_keys(now, scan.latest if then is None else then + 1)
    else:
        times = time_keys(scan.earliest if then is None else then, now + 1)
    conditions = [f"id {'<=' if ascending else '>='} %(border)s"] if border else []
    scan = scan.within(times, *conditions, border=border and str(border.id))
    if isinstance(here.key, int):
        return scan.within(size_keys(here.key, here.key + 1), "size_bytes = %(same)s", same=here.key)
    if isinstance(here.key, str):
        beginning = title_beginning(here.key, TITLE_LENGTHS[-1])
        return scan.within(title_keys([beginning]), "title_key = %(same)s", same=here.key)
    return scan


def _by_size(scan: Scan, largest: int, hits: list[Position], border: Position | None) -> Span:
    """Down to the size of the border, exclusive."""
    if not border:
        return Span(scan.within(size_keys(0, largest + 1)), None, len(hits))
    smallest = int(border.key or 0) + 1
    span = scan.within(size_keys(smallest, largest + 1), "size_bytes >= %(smallest)s", smallest=smallest)
    inside = sum(int(hit.key or 0) >= smallest for hit in hits)
    return Span(span, border._replace(id=_LAST), inside)


def _by_title(scan: Scan, before: str | None, hits: list[Position], index: int) -> Span:
    """Up to the shortest text that is a border between two of the hits from ``index`` on, exclusive: the
    shorter it is, the fewer buckets there are.

    Args:
        before: a title before the position that is to be in no bucket.
    """
    here = scan.position
    assert here
    titles = [str(hit.key) for hit in hits]
    border = AFTER_ALL
    if index < len(hits):
        pairs = zip(titles[index : 2 * index + 1], titles[index + 1 :], strict=False)
        border = min((separate(*pair) for pair in pairs if pair[0] < pair[1]), key=len, default=titles[index])
        # No bucket ends there. What comes before all that begins like this can be told apart from it.
        if (beginning := border[: TITLE_LENGTHS[-1]]) > str(here.key):
            border = beginning
    begin = f"{here.key}{TITLE_END}" if here.id == _LAST else str(here.key)
    widest = 0 if border >= AFTER_ASCII and before is None else 1
    conditions = " AND ".join(["status = 'ready'", *scan.partition])
    found = db.query(
        f"""WITH RECURSIVE cover(bound, beginning) AS (
                SELECT %(begin)s COLLATE "C", NULL::text COLLATE "C"
                UNION ALL
                SELECT CASE bucket.beginning
                    WHEN '' THEN %(after_ascii)s ELSE bucket.beginning || %(after_all)s END,
                    bucket.beginning
                FROM cover AS last, LATERAL (
                    SELECT title_key || %(end)s AS title FROM image_metadata
                    WHERE {conditions} AND title_key >= last.bound AND title_key < %(border)s
                    ORDER BY title_key LIMIT 1) AS next,
                LATERAL (
                    SELECT left(title, length) AS beginning FROM unnest(%(lengths)s) AS length
                    WHERE CASE length
                        WHEN 0 THEN title < %(after_ascii)s
                        WHEN %(longest)s THEN true
                        ELSE left(title, length) NOT IN (left(%(border)s, length), left(%(before)s, length))
                    END ORDER BY length LIMIT 1) AS bucket)
            SELECT beginning FROM cover WHERE beginning IS NOT NULL LIMIT %(most)s""",
        scan.parameters(
            begin=begin,
            border=border,
            before="" if before is None else before + TITLE_END,
            end=TITLE_END,
            after_ascii=AFTER_ASCII,
            after_all=AFTER_ALL,
            lengths=[length for length in TITLE_LENGTHS if length >= widest],
            longest=TITLE_LENGTHS[-1],
            most=MAX_BEGINNINGS,
        ),
    )
    beginnings = [row["beginning"] for row in found]
    if len(beginnings) == MAX_BEGINNINGS:
        border = beginnings[-1] + AFTER_ALL
    span = scan.within(title_keys(beginnings), "title_key < %(behind)s", behind=border)
    end = None if border == AFTER_ALL else Position(scan.tier, border, _FIRST)
    return Span(span, end, sum(title < border for title in titles))


def separate(before: str, after: str) -> str:
    """The shortest beginning of ``after``, of the lengths that buckets have, that sorts behind ``before``;
    all of it where there is none.
    """
    return next((after[:n] for n in TITLE_LENGTHS if after[:n] > before), after)
