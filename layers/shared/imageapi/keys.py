"""The keys that each image has in the inverted index beside its tokens: where it is in each order. Pure.

``image_list_keys`` in init_db.sql makes them of a row:

- buckets of time (see ``moments``), and buckets of sizes, of several widths each;
- beginnings of the title, of several lengths: a hash;
- samples: one of 8 images is in the largest, one of 65,536 in the smallest, by the random end of its id.

With them the index finds what matches in a stretch of a list, and a random part of all that matches.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence

from imageapi.moments import SHIFTS

SIZE_SHIFTS = (8, 12, 16, 20, 24)
"""The widths of buckets of sizes, as powers of two: 256 bytes to 16 MiB."""
TITLE_LENGTHS = (0, 1, 2, 4, 8, 16)
"""The lengths of beginnings, in characters. What is shorter ends with TITLE_END, which counts as one. Only
titles that begin with ASCII have the empty one: all of them come before all others.
"""
TITLE_END = "\x01"
AFTER_ASCII = "\x80"
AFTER_ALL = "\U0010ffff"
"""Sorts behind all characters of titles."""
SAMPLE_SHIFTS = range(3, 17)
"""A sample is one of 2**shift images."""

_SIZE, _SAMPLE, _TITLE = (kind << 56 for kind in (1, 2, 3))


def size_keys(start: int, end: int) -> list[int]:
    """The buckets that cover the sizes from ``start`` (inclusive) to ``end`` (exclusive), in bytes."""
    return [_SIZE | shift << 48 | number for shift, number in _cover(start, end, SIZE_SHIFTS)]


def time_keys(start: int, end: int) -> list[int]:
    """The same of times, in milliseconds since 1970."""
    return [shift << 48 | number for shift, number in _cover(start, end, SHIFTS)]


def sample_shift(rows: float, size: int) -> int:
    """The shift of the sample that has about ``size`` of so many rows; below SAMPLE_SHIFTS there is none."""
    return min(round(math.log2(max(rows / size, 1))), SAMPLE_SHIFTS[-1])


def sample_key(shift: int) -> int:
    """The sample that has one of ``2**shift`` images."""
    return _SAMPLE | shift


def title_beginning(title_key: str, length: int) -> str:
    """The beginning of a title of that length; all of it, and its end, when it is shorter."""
    return (title_key + TITLE_END)[:length]


def title_keys(beginnings: Iterable[str]) -> list[int]:
    """The buckets of titles with these beginnings, each as :func:`title_beginning` gives it."""
    digests = (hashlib.sha256(text.encode()).digest() for text in beginnings)
    return [_TITLE | int.from_bytes(digest[:7], "big") for digest in digests]


def _cover(start: int, end: int, shifts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Buckets as ``(shift, number)``: the widest that fit, and at the borders those of the smallest width."""
    place = start >> shifts[0] << shifts[0]
    while place < end:
        fitting = (s for s in shifts if place % (1 << s) == 0 and place + (1 << s) <= end)
        shift = max(fitting, default=shifts[0])
        yield shift, place >> shift
        place += 1 << shift
