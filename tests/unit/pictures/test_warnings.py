"""Pillow's warnings about a malformed picture do not fill the log."""

import io
import struct
import warnings

from imageapi.pictures.inspect import inspect

from tests.support import pictures
from tests.support.tiffs import tiff

SHORT, ENTRY_SIZE = 3, 12


def tiff_with_bad_tags(count: int) -> bytes:
    """A grey TIFF with ``count`` further tags whose values extend past the end of the file."""
    data = tiff(4, 4, bytes(16))
    (good,) = struct.unpack("<H", data[8:10])
    entries = data[10 : 10 + good * ENTRY_SIZE]
    entries += b"".join(
        struct.pack("<HHII", tag, SHORT, 1_000_000, 8) for tag in range(40_000, 40_000 + count)
    )
    # A new header and a new directory at the end; the pixels stay where they are.
    return (
        struct.pack("<2sHI", b"II", 42, len(data))
        + data[8:]
        + struct.pack("<H", good + count)
        + entries
        + bytes(4)
    )


def test_bad_tags_of_a_tiff_are_not_logged() -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        inspect(io.BytesIO(tiff_with_bad_tags(200)), pictures.MAX_PIXELS)
    assert said == []
