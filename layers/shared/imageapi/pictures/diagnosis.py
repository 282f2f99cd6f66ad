"""Pictures that are whole, but of a kind that Pillow does not decode, told from broken ones."""

import io
import warnings
from typing import IO, Any, cast

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from imageapi.errors import AppError
from imageapi.pictures.decode_limits import LimitedReader

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers of JPEG that begin a frame, each for another way of compression."""
_UNDECODED_FRAMES = frozenset({0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
"""Hierarchical JPEG, and arithmetic coding, of which Pillow decodes only small pictures."""
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = b"\xff\xd9"
_END_BYTES = 65_536
"""So many bytes at the end of the file may hold the end of a JPEG; some programs append data of their own."""
_WIDTH, _HEIGHT, _COMPRESSION = 256, 257, 259
_STRIPS, _TILES = (273, 279), (324, 325)
"""Tags of a TIFF: where the parts of the pixels are, and how many bytes each has."""
_WEBP = 50_001
"""A compression in TIFF that Pillow knows, but that its libtiff is built without."""


def find_unsupported(source: LimitedReader, *, opened: bool) -> str | None:
    """Tell why a picture could not be decoded.

    Args:
        source: the file.
        opened: the header was understood, and decoding failed.

    Returns:
        "JPEG" or "TIFF" when it is of a kind of these that is not supported; None when it is broken or not
        complete.

    Raises:
        TooComplexError: a limit was reached.
    """
    source.seek(0)
    head = source.read(4)
    if head.startswith(b"\xff\xd8"):
        return "JPEG" if _is_undecoded_jpeg(source) else None
    if head in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        tags = _read_whole_tiff(source)
        return "TIFF" if tags and (not opened or tags.get(_COMPRESSION) == _WEBP) else None
    return None


def _is_undecoded_jpeg(source: LimitedReader) -> bool:
    position = 2
    while True:
        source.seek(position)
        head = source.read(5)
        if len(head) < 5 or head[0] != 0xFF or head[1] in (_START_OF_SCAN, _END_OF_IMAGE[1]):
            return False
        if head[1] in _FRAMES:
            is_undecoded = head[1] in _UNDECODED_FRAMES or head[4] != 8  # bits
            return is_undecoded and _END_OF_IMAGE in _read_end(source, position)
        # 0xFF may be repeated before a marker.
        position += 1 if head[1] == 0xFF else 2 + int.from_bytes(head[2:4], "big")


def _read_end(source: LimitedReader, after: int) -> bytes:
    """The last bytes of the file, of those after a position."""
    size = source.seek(0, io.SEEK_END)
    source.seek(max(after, size - _END_BYTES))
    return source.read()


def _read_whole_tiff(source: LimitedReader) -> ImageFileDirectory_v2 | None:
    """The first directory of a TIFF; None unless it and all the pixels that it names are in the file."""
    source.seek(0)
    header = source.read(8)
    if 43 in header[2:4]:  # BigTIFF
        header += source.read(8)
    try:
        tags = ImageFileDirectory_v2(header)
        source.seek(tags.next)
        with warnings.catch_warnings(
            record=True
        ) as problems:  # Pillow's only sign of a directory that is cut
            warnings.simplefilter("always")
            tags.load(cast(IO[bytes], source))
            is_described = tags.get(_WIDTH) and tags.get(_HEIGHT)
            ends = [end for pair in (_STRIPS, _TILES) for end in _list_ends(tags, *pair)]
    except (MemoryError, AppError):
        raise
    except Exception:  # as for any decoder that is given hostile bytes
        return None
    size = source.seek(0, io.SEEK_END)
    is_whole = ends and all(end <= size for end in ends)
    return tags if is_described and is_whole and not problems else None


def _list_ends(tags: ImageFileDirectory_v2, offsets: int, lengths: int) -> list[int]:
    """Where parts of the pixels end, in bytes from the beginning of the file."""
    starts, sizes = _as_tuple(tags.get(offsets, ())), _as_tuple(tags.get(lengths, ()))
    return [start + size for start, size in zip(starts, sizes, strict=True)]


def _as_tuple(value: Any) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)
