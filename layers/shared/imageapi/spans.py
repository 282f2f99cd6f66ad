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
    part, end = _cut(scan, here, before, behind, index)
    return Span(part, end, sum(not (end and scan.follows(hit, end)) for hit in behind))


def _cut(
    scan: Scan, here: Position, before: Position | None, behind: list[Position], index: int
) -> tuple[Scan, Position | None]:
    """The rows of the span, and where it ends."""
    border = behind[index] if index < len(behind) else None
    if border and border.key == here.key:
        return _within_key(scan, border), border
    if scan.order.direction:
        return _within_key(scan, None), None
    last = _LAST if scan.order.is_ascending else _FIRST
    if before and before.key == here.key and here.id != last:
        # Many have this very key. What is left of them comes first, since their bucket holds all of them.
        return _within_key(scan, None), here._replace(id=last)
    if isinstance(here.key, int):
        return _by_size(scan, here.key, border)
    begin = f"{here.key}{TITLE_END}" if here.id == _LAST else str(here.key)
    titles = [str(hit.key) for hit in behind]
    return _by_title(scan, begin, _find_border(begin, titles, index), str(before.key) if before else None)


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


def _by_size(scan: Scan, largest: int, border: Position | None) -> tuple[Scan, Position | None]:
    """Down to the size of the border, exclusive."""
    if not border:
        return scan.within(size_keys(0, largest + 1)), None
    assert isinstance(border.key, int)
    smallest = border.key + 1
    part = scan.within(size_keys(smallest, largest + 1), "size_bytes >= %(smallest)s", smallest=smallest)
    return part, border._replace(id=_LAST)


def _by_title(scan: Scan, begin: str, border: str, before: str | None) -> tuple[Scan, Position | None]:
    """Up to a border, exclusive, or to the end of the last of MAX_BEGINNINGS buckets.

    Args:
        begin: where the first bucket is looked for.
        before: a title before it that is to be in no bucket.
    """
    beginnings = _list_beginnings(scan, begin, border, before)
    if len(beginnings) == MAX_BEGINNINGS:
        border = beginnings[-1] + AFTER_ALL
    part = scan.within(title_keys(beginnings), "title_key < %(behind)s", behind=border)
    return part, None if border == AFTER_ALL else Position(scan.tier, border, _FIRST)


def _find_border(begin: str, titles: list[str], index: int) -> str:
    """The shortest text that is a border between two of the titles from ``index`` on: the shorter it is, the
    fewer buckets there are.
    """
    if index >= len(titles):
        return AFTER_ALL
    pairs = zip(titles[index : 2 * index + 1], titles[index + 1 :], strict=False)
    border = min((separate(*pair) for pair in pairs if pair[0] < pair[1]), key=len, default=titles[index])
    # No bucket ends further behind. What comes before all that begins like this can be told apart from it.
    beginning = border[: TITLE_LENGTHS[-1]]
    return beginning if beginning > begin else border


def _list_beginnings(scan: Scan, begin: str, border: str, before: str | None) -> list[str]:
    """The widest buckets of titles that there are, one after the other: each holds neither the border nor the
    title before. Where even the narrowest would, it is taken as it is.
    """
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
    return [row["beginning"] for row in found]


def separate(before: str, after: str) -> str:
    """The shortest beginning of ``after``, of the lengths that buckets have, that sorts behind ``before``;
    all of it where there is none.
    """
    return next((after[:n] for n in TITLE_LENGTHS if after[:n] > before), after)
