"""Renditions: a picture made smaller, upright, in sRGB, without metadata, in a format that browsers show."""

import io
import math
from collections.abc import Callable
from functools import partial
from typing import IO, Any

from PIL import Image

from imageapi.animation import (
    count_plays,
    is_short_animation,
    read_frames,
    round_durations,
    seek_first_frame,
)
from imageapi.bounds import LimitedReader, bounded
from imageapi.colours import to_srgb
from imageapi.errors import AppError, TooComplexError, UnprocessableError
from imageapi.exif import read_orientation
from imageapi.imaging import SWAPS_SIDES, load_picture, open_picture, turn_upright
from imageapi.modes import to_rgb
from imageapi.resizing import resize, scale_to_fill
from imageapi.variants import Variant

QUALITY: dict[str, dict[str, Any]] = {
    "jpg": {"format": "JPEG", "quality": 82, "progressive": True, "optimize": True},
    "webp": {"format": "WEBP", "quality": 80, "method": 2},
    "avif": {"format": "AVIF", "quality": 60, "speed": 8},
}
MAX_SIDE = 16_383
"""The longest side of a rendition: what WebP can hold."""
MAX_ENCODED_PIXELS = 16_000_000
"""A taller picture is made narrower. AVIF's encoder takes about 12 s for this many on one core: with decoding
and storing, within the 30 s that a request has for a rendition (``catalog.variants.LEASE_SECONDS``).
"""
VP8X_ALPHA = 0x10
"""The flag in the header of a WebP that says that not everything is opaque."""
MAX_MEMORY = 1_250 * 2**20
"""Address space for decoding and resizing, in bytes, as ``bounds.MAX_MEMORY``: more than an upload has, since
a JPEG is decoded at the size that is wanted. The heaviest takes 1,144 MiB (a progressive CMYK JPEG of
65,000 x 1,530 pixels, cut to a square), which fits into the 1,536 MB of DeliverFunction and AnalyzeFunction.
"""


def render(source: IO[bytes], variant: Variant, max_pixels: int) -> bytes:
    """Make a rendition.

    A JPEG is decoded at the smallest scale that still has every pixel that is wanted. An animation stays one
    in WebP; in the other formats it is its first frame. A picture that is smaller than asked for is not
    enlarged.

    Args:
        source: the original, or its reduced copy (see :mod:`imageapi.reduced`).

    Raises:
        UnsupportedMediaTypeError, UnprocessableError: as for an upload, when the stored original cannot be
            read.
    """
    try:
        with bounded(source, memory=MAX_MEMORY) as reader:
            encode = _decode(reader, variant, max_pixels)
        # Without limits: AVIF's encoder would not survive a failed allocation, and what it is given is small.
        return encode()
    except AppError:
        raise
    except MemoryError as error:
        raise TooComplexError from error
    except Exception as error:  # a decoder given hostile bytes raises nearly anything
        raise UnprocessableError("The picture cannot be rendered.", code="image_corrupt") from error


def _decode(source: LimitedReader, variant: Variant, max_pixels: int) -> Callable[[], bytes]:
    """Decode and resize; returns a function that encodes the result."""
    image = open_picture(source, max_pixels)
    orientation = read_orientation(image) or 1
    if variant.extension == "webp" and is_short_animation(image):
        return _decode_animation(image, variant, orientation, source)
    info = dict(image.info)
    seek_first_frame(image)
    wanted = scale_to_fill(image.size, plan_size(image.size, orientation, variant))
    target = plan_size(load_picture(image, wanted), orientation, variant)
    small = to_srgb(resize(image, target, cut=variant.cover), info)
    return partial(_encode, turn_upright(small, orientation), variant.extension)


def plan_size(size: tuple[int, int], orientation: int, variant: Variant) -> tuple[int, int]:
    """The size of the rendition before it is turned upright, of a picture stored with this size."""
    if orientation in SWAPS_SIDES:
        width, height = fit(size[::-1], variant)
        return height, width
    return fit(size, variant)


def fit(size: tuple[int, int], variant: Variant) -> tuple[int, int]:
    """The size of the rendition of a picture of this size, in pixels as seen."""
    width, height = size
    if variant.cover:
        side = min(variant.width, width, height)
        return side, side
    few_enough = math.sqrt(MAX_ENCODED_PIXELS / (width * height))
    scale = min(1.0, variant.width / width, MAX_SIDE / height, few_enough)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _decode_animation(
    image: Image.Image, variant: Variant, orientation: int, source: LimitedReader
) -> Callable[[], bytes]:
    target = plan_size(image.size, orientation, variant)
    info = dict(image.info)
    frames, durations = [], []
    for frame, duration in read_frames(image):
        source.check_time()
        small = to_srgb(resize(frame, target, cut=variant.cover), info)
        frames.append(turn_upright(small, orientation))
        durations.append(duration)
    return partial(_encode_animation, frames, round_durations(durations), count_plays(image))


def _encode_animation(frames: list[Image.Image], durations: list[int], plays: int) -> bytes:
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=plays,
        **QUALITY["webp"],
    )
    data = bytearray(buffer.getbuffer())
    is_transparent = any(frame.getchannel("A").getextrema()[0] != 255 for frame in frames)
    if is_transparent and data[12:16] == b"VP8X":
        # libwebp sets this flag only for parts that have alpha, not for what no part covers.
        data[20] |= VP8X_ALPHA
    return bytes(data)


def _encode(image: Image.Image, extension: str) -> bytes:
    if extension == "jpg":
        image = to_rgb(image)
    buffer = io.BytesIO()
    # Everything that Pillow would carry over by itself is in info: EXIF, XMP, profile, comment.
    image.info.clear()
    image.save(buffer, exif=b"", **QUALITY[extension])
    return buffer.getvalue()
