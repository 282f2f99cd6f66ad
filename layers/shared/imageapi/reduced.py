"""The reduced copy of a large picture: made at its upload, out of the decode that proves it whole.

Most of a thumbnail's time goes into reading and decoding the original. Renditions that are small enough are
made from the copy instead, which takes a third of the time and does not depend on the size of the original.
The copy is upright, opaque, in sRGB and without metadata. Where there is none, the original serves.
"""

import io
from typing import Any, cast

from PIL import Image

from imageapi.bounds import is_animated
from imageapi.modes import to_rgb
from imageapi.resizing import shrink
from imageapi.variants import REDUCED_SIDE

MIN_PIXELS = 4_000_000
"""Of smaller pictures there is no copy: decoding them takes little more than storing one would."""
MAX_RATIO = 3
"""Of the longer side to the shorter one: of panoramas there is no copy, which would be large too."""
QUALITY = 90


def is_wanted(image: Image.Image) -> bool:
    """Whether there is to be a copy of a picture that has been opened and not yet loaded."""
    shorter, longer = sorted(image.size)
    # The further pictures of an MPO, which many phones write, are not shown.
    is_still = image.format == "MPO" or not is_animated(image)
    is_large = shorter * longer >= MIN_PIXELS and shorter >= 2 * REDUCED_SIDE
    return is_still and is_large and longer <= shorter * MAX_RATIO


def draft_size(size: tuple[int, int]) -> tuple[int, int]:
    """What a JPEG of this size has to be decoded at, or more."""
    factor = min(size) // REDUCED_SIDE
    return size[0] // factor, size[1] // factor


def reduce(image: Image.Image, info: dict[Any, Any]) -> Image.Image | None:
    """The pixels of the copy, not yet turned upright. Blocks of pixels are averaged, since resizing to one
    size would take as long as decoding a JPEG.

    Args:
        image: loaded, at its full size or a smaller one that is no smaller than the copy.
        info: of the picture as it was opened.

    Returns:
        None when the picture is not opaque, and when there is any error: a copy is no reason to refuse a
        picture.
    """
    if image.mode in ("RGBA", "LA") and not _is_opaque(image):
        return None
    try:
        from imageapi.colours import to_srgb  # only large pictures pay for it

        small = to_srgb(shrink(image, min(image.size) // REDUCED_SIDE), info)
    except Exception:  # too little memory, or a picture that only its decoder understands
        return None
    return None if small.mode == "RGBA" and not _is_opaque(small) else to_rgb(small)


def _is_opaque(image: Image.Image) -> bool:
    """Of a picture in mode RGBA or LA."""
    darkest, _ = cast(tuple[tuple[int, int], ...], image.getextrema())[-1]
    return darkest == 255


def encode(image: Image.Image) -> bytes:
    """The bytes of the copy."""
    buffer = io.BytesIO()
    image.info.clear()  # Pillow would carry over the profile
    image.save(buffer, "JPEG", quality=QUALITY, exif=b"")
    return buffer.getvalue()
