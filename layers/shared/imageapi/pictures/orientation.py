"""EXIF orientation: which way up a picture is."""

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
    """The picture as a viewer sees it, given its EXIF orientation."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def read_orientation(image: Image.Image) -> int | None:
    """The EXIF orientation (1 to 8, 1 is upright) still to be applied once Pillow has loaded the pixels; None
    when missing or invalid.
    """
    if image.format == "TIFF":  # the one format that Pillow turns upright by itself
        return None
    try:
        value: Any = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # unreadable EXIF is no reason to refuse a readable picture
        return None
    return int(value) if value in range(1, 9) else None  # whatever type of number it was written as
