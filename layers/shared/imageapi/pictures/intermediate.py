"""The intermediate of a large image: a JPEG of 640 to 1,279 pixels on its shorter side, from the decode that
validates the upload. It is upright, opaque, in sRGB and without metadata.

Small variants are rendered from the intermediate, in a third of the time. Most time for a small variant goes
into reading and decoding the original. Without an intermediate, the original is used.
"""

from typing import Any, cast

from PIL import Image

from imageapi.model.variant_names import INTERMEDIATE_SIDE
from imageapi.pictures.colour import to_srgb
from imageapi.pictures.pixel_formats import to_rgb
from imageapi.pictures.pixel_limits import is_animated
from imageapi.pictures.resize import shrink

MIN_PIXELS = 4_000_000
"""Smaller images do not get one: decoding them takes little longer than storing an intermediate."""
MAX_RATIO = 3
"""Maximum ratio of longer to shorter side. The intermediate of a panorama would also be large."""


def is_wanted(image: Image.Image) -> bool:
    """Whether an image, opened but not yet loaded, gets an intermediate."""
    shorter, longer = sorted(image.size)
    # Only the first image in an MPO is shown. Many phones write MPOs.
    is_still = image.format == "MPO" or not is_animated(image)
    is_large = shorter * longer >= MIN_PIXELS and shorter >= 2 * INTERMEDIATE_SIDE
    return is_still and is_large and longer <= shorter * MAX_RATIO


def draft_size(size: tuple[int, int]) -> tuple[int, int]:
    """The minimum size for decoding a JPEG of this size."""
    factor = min(size) // INTERMEDIATE_SIDE
    return size[0] // factor, size[1] // factor


def reduce(image: Image.Image, info: dict[Any, Any]) -> Image.Image | None:
    """The pixels of the intermediate, not yet turned upright. Blocks of pixels are averaged: resizing to an
    exact size would take as long as decoding a JPEG.

    Args:
        image: loaded, at full size or scaled on load, but at least as large as the intermediate.
        info: ``Image.info`` as opened.

    Returns:
        None if the image is not opaque or an error occurs: a missing intermediate must not refuse an image.
    """
    if image.mode in ("RGBA", "LA") and not _is_opaque(image):
        return None
    try:
        small = to_srgb(shrink(image, min(image.size) // INTERMEDIATE_SIDE), info)
    except Exception:  # too little memory, or pixels that only the decoder understands
        return None
    return None if small.mode == "RGBA" and not _is_opaque(small) else to_rgb(small)


def _is_opaque(image: Image.Image) -> bool:
    """Whether an image in mode RGBA or LA is fully opaque."""
    darkest, _ = cast(tuple[tuple[int, int], ...], image.getextrema())[-1]
    return darkest == 255
