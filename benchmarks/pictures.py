"""Reproducible pictures, like photos or with a large need for memory."""

import io
import random
import struct
import zlib
from collections.abc import Callable

import pillow_heif
from PIL import Image, ImageFilter

from benchmarks.figures import BenchmarkError
from tests.support import tiffs
from tests.support.tiffs import LONG, SHORT, assemble_tiff


def make_photo(width: int, height: int, *, grain: int = 6, seed: int = 1) -> Image.Image:
    """Smooth shapes with some grain: to a JPEG encoder, about like a photo.

    ``grain`` is the size of the finest detail, in pixels.
    """
    source = random.Random(seed)

    def noise(divisor: int) -> Image.Image:
        size = (max(2, width // divisor), max(2, height // divisor))
        return Image.frombytes("RGB", size, source.randbytes(size[0] * size[1] * 3))

    shapes = noise(width // 8).resize((width, height), Image.Resampling.BICUBIC)
    detail = (
        noise(grain).filter(ImageFilter.GaussianBlur(0.7)).resize((width, height), Image.Resampling.BILINEAR)
    )
    return Image.blend(shapes, detail, 0.35)


def encode_jpeg(image: Image.Image, size_bytes: int, *, progressive: bool = False) -> bytes:
    """The JPEG of the highest quality that has at most ``size_bytes``."""
    low, high, best = 5, 97, b""
    while low <= high:
        quality = (low + high) // 2
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, progressive=progressive)
        if buffer.tell() <= size_bytes:
            best, low = buffer.getvalue(), quality + 1
        else:
            high = quality - 1
    if not best:
        raise BenchmarkError(f"No JPEG of {image.size} has as few as {size_bytes} bytes.")
    return best


def make_progressive_cmyk(side: int) -> bytes:
    """A progressive JPEG keeps all its coefficients until the end, two bytes for each of four channels."""
    return _save(
        Image.new("CMYK", (side, side), (9, 99, 199, 20)), "JPEG", progressive=True, subsampling=0, quality=60
    )


def make_png(side: int) -> bytes:
    return _save(Image.new("RGBA", (side, side), (9, 99, 199, 20)), "PNG")


def make_animated_png(side: int) -> bytes:
    frames = [Image.new("RGBA", (side, side), (red, 99, 199, 20)) for red in (1, 2)]
    return _save(frames[0], "PNG", save_all=True, append_images=frames[1:], compress_level=9, blend=1)


def make_webp(side: int) -> bytes:
    return _save(
        Image.new("RGBA", (side, side), (9, 99, 199, 20)), "WEBP", lossless=True, method=0, quality=0
    )


def make_gif(side: int) -> bytes:
    frames = [Image.new("P", (side, side), colour) for colour in (0, 1)]
    for frame in frames:
        frame.putpalette([0, 0, 0, 255, 0, 0])
    return _save(frames[0], "GIF", save_all=True, append_images=frames[1:], disposal=2, optimize=False)


def make_avif(side: int) -> bytes:
    return _save(
        Image.new("RGBA", (side, side), (9, 99, 199, 20)), "AVIF", quality=10, speed=10, subsampling="4:4:4"
    )


def make_heic(side: int) -> bytes:
    buffer = io.BytesIO()
    image = Image.new("RGBA", (side, side), (9, 99, 199, 20))
    pillow_heif.from_pillow(image).save(buffer, quality=10)
    return buffer.getvalue()


def make_deep_tiff(side: int) -> bytes:
    """A TIFF with four 16-bit channels in one strip, which decoders unpack whole. Pillow cannot write it."""
    packer = zlib.compressobj()
    row = bytes(side * 8)
    strip = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    deflate, rgb, alpha = 8, 2, 2
    entries = [
        *((tiffs.WIDTH, LONG, 1, side), (tiffs.HEIGHT, LONG, 1, side), (tiffs.BITS, SHORT, 4, 8)),
        *((tiffs.COMPRESSION, SHORT, 1, deflate), (tiffs.PHOTOMETRIC, SHORT, 1, rgb)),
        *((tiffs.OFFSET, LONG, 1, 16), (tiffs.ROWS, LONG, 1, side), (tiffs.LENGTH, LONG, 1, len(strip))),
        *((tiffs.SAMPLES, SHORT, 1, 4), (tiffs.EXTRA_SAMPLES, SHORT, 1, alpha)),
    ]
    return assemble_tiff(struct.pack("<4H", *[16] * 4) + strip, entries)


HEAVY_PICTURES: dict[str, Callable[[int], bytes]] = {
    "progressive CMYK JPEG": make_progressive_cmyk,
    "RGBA PNG": make_png,
    "animated PNG": make_animated_png,
    "WebP": make_webp,
    "animated GIF": make_gif,
    "RGBA AVIF": make_avif,
    "RGBA HEIC": make_heic,
    "16-bit TIFF": make_deep_tiff,
}
"""Small files that need much memory to decode, as functions of the side in pixels."""


def _save(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()
