"""Distinguish intact images that Pillow cannot decode from broken ones."""

import io
import warnings
from typing import IO, Any

from PIL.TiffImagePlugin import ImageFileDirectory_v2

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG start-of-frame markers, one per compression process."""
_UNDECODED_FRAMES = frozenset({0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
"""Hierarchical JPEG, and arithmetic coding, which Pillow decodes only for small images."""
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = b"\xff\xd9"
_END_BYTES = 65_536
"""The end-of-image marker may lie within this many bytes of the end: some programs append data."""
_WIDTH, _HEIGHT, _COMPRESSION = 256, 257, 259
_STRIPS, _TILES = (273, 279), (324, 325)
"""TIFF tags: the offsets and byte counts of strips and of tiles."""
_LIBHEIF_NO_CODEC = "Support for this compression format has not been built in"
_WEBP = 50_001
"""A TIFF compression that Pillow supports, but not the libtiff in its wheels."""


def find_unsupported(source: IO[bytes], error: Exception, *, opened: bool) -> str | None:
    """Find out why an image could not be decoded.

    Args:
        error: the decoder's error.
        opened: True if the header was read and decoding failed.

    Returns:
        "JPEG", "TIFF" or "HEIC" if it is an unsupported kind of that; None if it is broken or incomplete.
    """
    source.seek(0)
    head = source.read(4)
    if head.startswith(b"\xff\xd8"):
        return "JPEG" if _is_undecoded_jpeg(source) else None
    if head in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        tags = _read_whole_tiff(source)
        return "TIFF" if tags and (not opened or tags.get(_COMPRESSION) == _WEBP) else None
    return "HEIC" if _LIBHEIF_NO_CODEC in str(error) else None


def _is_undecoded_jpeg(source: IO[bytes]) -> bool:
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


def _read_end(source: IO[bytes], after: int) -> bytes:
    """The last ``_END_BYTES`` of the file, or all bytes from ``after`` if those are fewer."""
    size = source.seek(0, io.SEEK_END)
    source.seek(max(after, size - _END_BYTES))
    return source.read()


def _read_whole_tiff(source: IO[bytes]) -> ImageFileDirectory_v2 | None:
    """The first directory of a TIFF; None if it, or any strip or tile that it lists, is incomplete."""
    source.seek(0)
    header = source.read(8)
    if 43 in header[2:4]:  # BigTIFF
        header += source.read(8)
    try:
        tags = ImageFileDirectory_v2(header)
        source.seek(tags.next)
        # Pillow reports a truncated directory only as a warning.
        with warnings.catch_warnings(record=True) as problems:
            warnings.simplefilter("always")
            tags.load(source)
            is_described = tags.get(_WIDTH) and tags.get(_HEIGHT)
            ends = [end for pair in (_STRIPS, _TILES) for end in _list_ends(tags, *pair)]
    except MemoryError:
        raise
    except Exception:  # with hostile bytes, a decoder may raise any error
        return None
    size = source.seek(0, io.SEEK_END)
    is_whole = ends and all(end <= size for end in ends)
    return tags if is_described and is_whole and not problems else None


def _list_ends(tags: ImageFileDirectory_v2, offsets: int, lengths: int) -> list[int]:
    """The ends of the strips or tiles, in bytes from the beginning of the file."""
    starts, sizes = _as_tuple(tags.get(offsets, ())), _as_tuple(tags.get(lengths, ()))
    return [start + size for start, size in zip(starts, sizes, strict=True)]


def _as_tuple(value: Any) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)
