"""Asking the inverted index for one stretch of a list after another, each just long enough for a page.

How long that is depends on how the matches lie. In an order of time the frequency of those seen so far is a
good guess. In an order by title or size it is none: all matches may be in one place, as Japanese titles are,
which come after all Latin ones. There a random sample of the matches shows where the next of them end.
"""

import math
from dataclasses import replace
from typing import NamedTuple

from imageapi.cursors import Position
from imageapi.finding import Found, narrow
from imageapi.keys import SAMPLE_SHIFTS, sample_key, sample_shift
from imageapi.scans import Scan
from imageapi.spans import Span, span_until
from imageapi.totals import estimate_rows, estimate_share

SAFETY = 1.5
"""Factor: how many more rows are read than the frequency of hits suggests."""
MAX_NARROWED_ROWS = 10_000
"""How many candidates one statement may look at."""
AT_ONCE = 5_000
"""So many matches are not too many for one stretch."""
IN_VAIN = 512
"""So many matches before a stretch may be looked at with it."""
MAX_RANGES = 3
"""How many stretches of time are guessed."""
MAX_SPANS, MAX_SAMPLES = 5, 4
"""How many stretches are found by samples, and how many samples each may take."""
SAMPLE_SIZE, FEW, MAX_SAMPLE_ROWS = 128, 4, 1_000
"""How many matches a sample should have, and how many it must have and may have at least and at most."""


class _Sample(NamedTuple):
    """Hits in order, before and behind a position: about one of ``2**shift`` of all there are."""

    shift: int
    hits: list[Position]


def estimate_rate(hits: int, looked_at: int) -> float:
    """Estimated hits per row (or millisecond) that was read; above zero also when there was no hit."""
    return (hits + 0.5) / looked_at


def search(scan: Scan, walked: Found, wanted: int) -> Found:
    """Up to ``wanted`` hits behind a walk.

    Args:
        scan: where the walk began.
        walked: what it has found.
    """
    hits: list[Position] = []
    rest = replace(scan, position=walked.last)
    if scan.order.direction:
        found, rest = _search_by_guess(rest, walked, wanted)
        hits = found.hits
        if found.complete or len(hits) == wanted:
            return found
    found = _search_by_samples(rest, _guess_matches(scan, walked), wanted - len(hits))
    return found._replace(hits=hits + found.hits)


def _search_by_guess(scan: Scan, walked: Found, wanted: int) -> tuple[Found, Scan]:
    """Up to ``wanted`` hits in stretches of time that are as long as the hits so far suggest.

    Returns:
        What was found, and what is left to be searched.
    """
    hits: list[Position] = []
    elapsed = max(1, walked.elapsed)
    per_row = elapsed / walked.rows
    for _ in range(MAX_RANGES):
        missing = wanted - len(hits)
        needed = math.ceil(missing / estimate_rate(len(walked.hits + hits), elapsed) * SAFETY)
        if needed / per_row >= estimate_rows():
            break
        time_range = scan.next_range(needed)
        found = narrow(scan.within(time_range.keys), missing, MAX_NARROWED_ROWS)
        if found.is_too_much:
            break
        hits += found.hits
        if not found.complete:
            return Found(hits, found.last, complete=False), scan
        beyond = scan.beyond(time_range)
        if not beyond:
            return Found(hits, None, complete=True), scan
        scan = beyond
        elapsed += time_range.end - time_range.start
    return Found(hits, scan.position, complete=False), scan


def _search_by_samples(scan: Scan, matches: float, wanted: int) -> Found:
    """Up to ``wanted`` hits in stretches that samples suggest.

    Args:
        matches: how many there seem to be in all.
    """
    hits: list[Position] = []
    sample = _take_sample(scan, matches)
    for _ in range(MAX_SPANS):
        missing = wanted - len(hits)
        span = _choose(scan, sample, missing)
        found = narrow(span.scan, missing, MAX_NARROWED_ROWS)
        hits += found.hits
        if found.is_too_much:
            sample = None if sample else _take_sample(scan, MAX_NARROWED_ROWS * SAMPLE_SIZE)
            if not sample:
                break
        elif not found.complete:
            return Found(hits, found.last, complete=False)
        elif not span.end:
            return Found(hits, None, complete=True)
        else:
            scan = replace(scan, position=span.end)
    return Found(hits, scan.position, complete=False)


def _take_sample(scan: Scan, matches: float) -> _Sample | None:
    """A sample of all that matches, of a size that is of use; none where everything can be had at once.

    Args:
        matches: how many there seem to be.
    """
    everywhere = replace(scan, position=None)
    for _ in range(MAX_SAMPLES):
        if matches <= AT_ONCE:
            break
        shift = max(sample_shift(matches, SAMPLE_SIZE), SAMPLE_SHIFTS[0])
        found = narrow(everywhere.within([sample_key(shift)]), MAX_SAMPLE_ROWS, MAX_SAMPLE_ROWS)
        if found.complete and len(found.hits) >= FEW:
            return _Sample(shift, found.hits)
        matches = (len(found.hits) + 1) << shift if found.complete else matches * SAMPLE_SIZE
    return None


def _choose(scan: Scan, sample: _Sample | None, wanted: int) -> Span:
    """The next span with enough matches, but not too many; without a sample, all that is left."""
    span = Span(scan, None, 0)
    for _ in range(MAX_SAMPLES):
        if not sample:
            break
        index = math.ceil(wanted * SAFETY / 2**sample.shift)
        finer = span_until(scan, sample.hits, index, IN_VAIN >> sample.shift)
        if not finer.end and span.end:
            break
        span = finer
        if span.hits << sample.shift <= AT_ONCE:
            break
        sample = _take_sample(span.scan, span.hits << sample.shift)
    return span


def _guess_matches(scan: Scan, walked: Found) -> float:
    """How many matches there seem to be in all: as many as have the token, if there is but one; else as many
    as a walk has met, or, when that is next to none, between it and as many as have the rarest of the tokens.
    """
    rows, tokens = estimate_rows(), scan.values["tokens"]
    most = rows * estimate_share(tokens)
    if len(tokens) == 1:
        return most
    met = estimate_rate(len(walked.hits), walked.rows) * rows * estimate_share(scan.partition_tokens)
    return min(most, met if len(walked.hits) > 1 else math.sqrt(met * most))
