"""Small pictures that are expensive to decode: more pixels than declared, or the same pixels repeated."""

import struct
from collections.abc import Callable
from functools import partial

from PIL import Image

from tests.support import pictures, tiffs
from tests.support.pngs import compress_zeros
from tests.support.tiffs import LONG, SHORT, assemble_tiff

DEFLATE = 8
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_SIZES = 322, 323, 324, 325


def jpeg(scans: int, side: int = 64) -> bytes:
    """A gray progressive JPEG that repeats its last scan until it has ``scans``: 20 bytes each."""
    data = pictures.encode(Image.new("L", (side, side), 77), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (scans - data.count(b"\xff\xda")) + data[-2:]


def tiff(
    size: tuple[int, int] = (64, 64),
    tile: tuple[int, int] = (64, 64),
    *,
    tiles: int = 1,
    pages: int = 1,
) -> bytes:
    """A black tiled TIFF, compressed with deflate. All tiles and pages share the same few bytes.

    Args:
        tile: the size of a tile; one larger than the picture extends past its edges.
        tiles: the number on each page.
    """
    packed = compress_zeros(tile[0] * tile[1])
    offsets = 8 + len(packed)
    sizes = offsets + tiles * 4
    data = packed + struct.pack("<I", 8) * tiles + struct.pack("<I", len(packed)) * tiles
    entries = [
        *((tiffs.WIDTH, LONG, 1, size[0]), (tiffs.HEIGHT, LONG, 1, size[1]), (tiffs.BITS, SHORT, 1, 8)),
        *((tiffs.COMPRESSION, SHORT, 1, DEFLATE), (tiffs.PHOTOMETRIC, SHORT, 1, 1)),
        *((TILE_WIDTH, LONG, 1, tile[0]), (TILE_HEIGHT, LONG, 1, tile[1])),
        (TILE_OFFSETS, LONG, tiles, offsets if tiles > 1 else 8),
        (TILE_SIZES, LONG, tiles, sizes if tiles > 1 else len(packed)),
    ]
    return assemble_tiff(data, entries, pages=pages)


def avif(side: int) -> bytes:
    """An AVIF that declares 64 x 64 pixels and contains a frame of another size."""
    image = Image.new("RGB", (side, side), (9, 99, 199))
    data = bytearray(pictures.encode(image, "AVIF", quality=10, speed=10, subsampling="4:4:4"))
    struct.pack_into(">II", data, data.index(b"ispe") + 8, 64, 64)
    return bytes(data)


_TOO_LARGE = (422, "too_many_pixels")

BAD: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "tiff_large_tile": (partial(tiff, tile=(7_000, 7_000)), *_TOO_LARGE),
    "tiff_many_tiles": (partial(tiff, (65_535, 1), (16, 2_000), tiles=4_096), *_TOO_LARGE),
    "tiff_one_tile_for_many_pages": (partial(tiff, tile=(6_000, 6_000), pages=20), 422, "too_many_frames"),
}
"""Like ``samples.BAD``. None declares more pixels than the service accepts."""
