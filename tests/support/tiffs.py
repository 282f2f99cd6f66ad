"""Kinds of TIFF that Pillow cannot write, built tag by tag."""

import struct
from collections.abc import Sequence

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
OFFSET, SAMPLES, ROWS, LENGTH, EXTRA_SAMPLES, SAMPLE_FORMAT = 273, 277, 278, 279, 338, 339
SHORT, LONG, RATIONAL = 3, 4, 5
Entry = tuple[int, int, int, int]
"""A tag, the type and number of its values, and the one value or the offset of several."""


def assemble_tiff(data: bytes, entries: Sequence[Entry], order: str = "<", pages: int = 1) -> bytes:
    """A TIFF with ``data`` from the 8th byte on, and after that the same directory for each page."""
    data += bytes(len(data) % 2)
    directory = struct.pack(order + "H", len(entries))
    for tag, kind, count, value in sorted(entries):
        is_short = kind == SHORT and count == 1
        directory += struct.pack(order + "HHI", tag, kind, count)
        directory += struct.pack(order + "HH", value, 0) if is_short else struct.pack(order + "I", value)
    places = [8 + len(data) + page * (len(directory) + 4) for page in range(pages)]
    links = [struct.pack(order + "I", place) for place in [*places, 0]]
    magic = {"<": b"II*\0", ">": b"MM\0*"}[order]
    return magic + links[0] + data + b"".join(directory + link for link in links[1:])


def tiff(width: int, height: int, pixels: bytes, order: str = "<", **tags: int) -> bytes:
    """A TIFF of one strip.

    Args:
        pixels: as stored.
        order: "<" or ">": the order of the bytes in the header.
        tags: this module's tag names in lower case; added to or replacing those of 8-bit gray.
    """
    longs = {WIDTH: width, HEIGHT: height, OFFSET: 8, ROWS: height, LENGTH: len(pixels)}
    shorts = {"bits": 8, "compression": 1, "photometric": 1, "samples": 1, **tags}
    entries = [(tag, LONG, 1, value) for tag, value in longs.items()]
    entries += [(globals()[name.upper()], SHORT, 1, value) for name, value in shorts.items()]
    return assemble_tiff(pixels, entries, order)
