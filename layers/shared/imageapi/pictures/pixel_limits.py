"""Limits on the pixels of an image, which are checked in its header before decoding."""

import math

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from imageapi.errors import UnprocessableError
from imageapi.model.picture import MAX_FRAMES, MAX_SIDE

TILES_FACTOR = 2
"""The tiles of a TIFF may have this many times the pixel limit: those at the edges exceed the image."""
_TIFF_SIZES = (256, 257, 322, 323)  # ImageWidth, ImageLength, TileWidth, TileLength
ANIMATION_FACTOR = 4
"""All frames of an animation may have this many times the pixel limit: they are decoded one at a time."""


def pixel_limit(image: Image.Image, max_pixels: int) -> int:
    """The pixel limit for an image of this format, so that decoding it fits in a function's memory.

    JPEGs are decoded at a fraction of their size, and still PNGs in one copy of at most 4 bytes a pixel. The
    other decoders hold several copies, up to 16 bytes a pixel (measured by benchmarks/memory.py). HEICs from
    phones have up to 49 megapixels.
    """
    if image.format in ("JPEG", "MPO") or (image.format == "PNG" and not is_animated(image)):
        return max_pixels
    return max_pixels // 2 if image.format == "HEIF" else max_pixels * 2 // 5


def check_frame(image: Image.Image, max_pixels: int) -> int:
    """Check the current frame. Returns the number of pixels to decode. In a TIFF, that includes the parts of
    tiles that exceed the image.

    Raises:
        UnprocessableError: ``too_many_pixels``.
    """
    bound = pixel_limit(image, max_pixels)
    check_size(image.size, bound)
    pixels = image.width * image.height
    if not isinstance(image, TiffImageFile):
        return pixels
    sides = [image.tag_v2.get(tag) for tag in _TIFF_SIZES]
    width, height, tile_width, tile_height = (side if isinstance(side, int) else 0 for side in sides)
    if tile_width <= 0 or tile_height <= 0:
        return pixels
    check_size((tile_width, tile_height), bound)
    tiles = math.ceil(width / tile_width) * math.ceil(height / tile_height)
    pixels = max(pixels, tiles * tile_width * tile_height)
    if pixels > bound * TILES_FACTOR:
        raise too_many_pixels(bound)
    return pixels


def check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Refuse an image that is larger than the service decodes.

    Raises:
        UnprocessableError: ``too_many_pixels``.
    """
    width, height = size
    if width * height > max_pixels or max(size) > MAX_SIDE:
        raise too_many_pixels(max_pixels, size)


def is_animated(image: Image.Image) -> bool:
    """Whether there is a frame, or a page, after the first."""
    return bool(getattr(image, "is_animated", False))


def too_many_pixels(max_pixels: int, size: tuple[int, int] | None = None) -> UnprocessableError:
    """The error for an image with more than ``max_pixels``; ``size`` is its width and height, if known."""
    found = {"width": size[0], "height": size[1]} if size else {}
    problem = f"has {size[0]} x {size[1]} pixels" if size else "has too many pixels"
    return UnprocessableError(
        f"The image {problem}. The limit is {max_pixels:,} pixels, and {MAX_SIDE:,} on a side.",
        code="too_many_pixels",
        details={**found, "max_pixels": max_pixels, "max_side": MAX_SIDE},
    )


def check_animation(image: Image.Image, frames: int, pixels: int, max_pixels: int) -> None:
    """Check the number of frames so far, and the total of their pixels.

    Raises:
        UnprocessableError: ``too_many_frames``.
    """
    limit = pixel_limit(image, max_pixels) * ANIMATION_FACTOR
    if frames > MAX_FRAMES or pixels > limit:
        raise UnprocessableError(
            f"The animation is too long. The limits are {MAX_FRAMES:,} frames and {limit:,} pixels in total.",
            code="too_many_frames",
            details={"max_frames": MAX_FRAMES, "max_pixels": limit},
        )
