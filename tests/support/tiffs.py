"""Kinds of TIFF that Pillow cannot write, built tag by tag."""

import struct

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
OFFSET, SAMPLES, ROWS, LENGTH, EXTRA_SAMPLES, SAMPLE_FORMAT = 273, 277, 278, 279, 338, 339
SHORT, LONG = 3, 4


def tiff(width: int, height: int, pixels: bytes, order: str = "<", **tags: int) -> bytes:
    """A TIFF of one strip.

    Args:
        pixels: as stored.
        order: "<" or ">": the order of the bytes in the header.
        tags: this module's tag names in lower case; added to or replacing those of 8-bit grey.
    """
    values = {"bits": 8, "compression": 1, "photometric": 1, "samples": 1, **tags}
    values |= {"width": width, "height": height, "rows": height, "length": len(pixels)}
    entries = {globals()[name.upper()]: value for name, value in values.items()}
    entries[OFFSET] = 8 + 2 + (len(entries) + 1) * 12 + 4
    directory = struct.pack(order + "H", len(entries))
    for tag, value in sorted(entries.items()):
        is_long = tag in (WIDTH, HEIGHT, OFFSET, ROWS, LENGTH)
        content = struct.pack(order + "I", value) if is_long else struct.pack(order + "HH", value, 0)
        directory += struct.pack(order + "HHI", tag, LONG if is_long else SHORT, 1) + content
    magic = {"<": b"II*\0", ">": b"MM\0*"}[order]
    return magic + struct.pack(order + "I", 8) + directory + bytes(4) + pixels
