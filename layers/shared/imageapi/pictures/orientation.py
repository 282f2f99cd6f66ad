"""EXIF orientation: which way up an image is."""

from typing import Any

from PIL import ExifTags, Image

SWAPS_SIDES = frozenset({5, 6, 7, 8})
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image as a viewer sees it, given its EXIF orientation."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def read_orientation(image: Image.Image) -> int | None:
    """The EXIF orientation (1 to 8, 1 is upright) to apply after Pillow has loaded the pixels; None if it is
    missing or invalid.
    """
    if image.format == "TIFF":  # Pillow turns only this format upright
        return None
    try:
        value: Any = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # unreadable EXIF must not refuse a readable image
        return None
    return int(value) if value in range(1, 9) else None  # the tag may be of any numeric type
