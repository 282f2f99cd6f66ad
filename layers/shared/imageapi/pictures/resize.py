"""Downscale images in any mode, without converting a full-size copy."""

import math

from PIL import Image

from imageapi.pictures.pixel_formats import Levels, grey_levels, is_deep, to_eight_bits, unmultiply_grey

BAND_PIXELS = 2_000_000
"""About this many pixels are converted at a time (see :func:`_average`)."""
MARGIN = 2.5
"""LANCZOS reads this far beyond the crop box, in pixels of the variant."""
GAP = 2.0
"""Pillow's ``reducing_gap``: blocks of pixels are averaged first, down to this many times the target size."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


def find_box(size: tuple[int, int], target: tuple[int, int], *, cut: bool) -> Box:
    """The crop box of an image. (``ImageOps.fit`` is far slower for large images: it lacks ``reducing_gap``.)

    Args:
        cut: crop to the aspect ratio of the target, evenly on both sides.
    """
    width, height = size
    if not cut:
        return 0, 0, width, height
    scale = min(width / target[0], height / target[1])
    # One of the two is zero; rounding can make it slightly negative.
    cut_x, cut_y = max(0.0, width - target[0] * scale) / 2, max(0.0, height - target[1] * scale) / 2
    return cut_x, cut_y, width - cut_x, height - cut_y


def resize(image: Image.Image, target: tuple[int, int], *, cut: bool) -> Image.Image:
    """Resize to the target, in mode RGB, RGBA, L, LA or CMYK; ``cut`` as for :func:`find_box`."""
    if image.size == target:
        return make_resizable(image)
    box = find_box(image.size, target, cut=cut)
    if _is_resizable(image):
        return image.resize(target, Image.Resampling.LANCZOS, box=box, reducing_gap=GAP)
    small, box = _reduce(image, box, target)
    return _dissociate(small.resize(target, Image.Resampling.LANCZOS, box=box))


def _is_resizable(image: Image.Image) -> bool:
    """Whether Pillow can resize the image as it is, without a copy in another mode."""
    return image.mode in ("RGB", "L", "CMYK") and not image.has_transparency_data


def make_resizable(image: Image.Image, levels: Levels | None = None) -> Image.Image:
    """Convert to a mode whose pixels can be averaged: without palette, 1-bit pixels or a single transparent
    color. ``levels`` as for ``pixel_formats.to_rgb``.
    """
    image = unmultiply_grey(image)
    if is_deep(image):
        grey = to_eight_bits(image, levels)
        return grey.convert("RGBA" if grey.mode == "LA" else "RGB")
    if image.has_transparency_data and image.mode not in ("RGBA", "LA"):
        return image.convert("RGBA")
    return image if image.mode in ("RGB", "RGBA", "L", "LA", "CMYK") else image.convert("RGB")


def shrink(image: Image.Image, factor: int) -> Image.Image:
    """Average blocks of ``factor`` x ``factor`` pixels; the result is in mode RGB, RGBA, L, LA or CMYK.

    Partial blocks at the right and bottom are cropped: as whole pixels they would shift all others.
    """
    if factor == 1:
        return make_resizable(image)
    part = (0, 0, image.width // factor * factor, image.height // factor * factor)
    if _is_resizable(image):
        return image.reduce(factor, part)
    return _dissociate(_average(image, part, (factor, factor)))


def _reduce(image: Image.Image, box: Box, target: tuple[int, int]) -> tuple[Image.Image, Box]:
    """Average blocks of pixels as ``reducing_gap`` does, for an image that must be converted.

    Returns:
        The reduced part of the image, in mode RGB, L, CMYK, RGBa or La, and the box in its coordinates.
    """
    scales = (box[2] - box[0]) / target[0], (box[3] - box[1]) / target[1]
    columns, rows = (max(1, int(scale / GAP)) for scale in scales)
    margin_x, margin_y = (MARGIN * scale for scale in scales)
    left, top = max(0, int(box[0] - margin_x)), max(0, int(box[1] - margin_y))
    right = min(image.width, math.ceil(box[2] + margin_x))
    bottom = min(image.height, math.ceil(box[3] + margin_y))
    return _average(image, (left, top, right, bottom), (columns, rows)), (
        (box[0] - left) / columns,
        (box[1] - top) / rows,
        (box[2] - left) / columns,
        (box[3] - top) / rows,
    )


def _average(image: Image.Image, part: tuple[int, int, int, int], block: tuple[int, int]) -> Image.Image:
    """Convert a part of an image and average blocks of its pixels, band by band: a converted copy of a large
    image may not fit in memory.

    Returns:
        An image in mode RGB, L, CMYK, RGBa or La. Alpha is premultiplied, so that transparent pixels do not
        bleed into their neighbors.
    """
    left, top, right, bottom = part
    levels = grey_levels(image) if is_deep(image) else None
    rows = block[1]
    height = max(1, BAND_PIXELS // (right - left) // rows) * rows
    small: Image.Image | None = None
    for start in range(top, bottom, height):
        band = image.crop((left, start, right, min(start + height, bottom)))
        band = make_resizable(band, levels)
        band = band.convert({"RGBA": "RGBa", "LA": "La"}.get(band.mode, band.mode)).reduce(block)
        if small is None:
            small = Image.new(band.mode, (band.width, math.ceil((bottom - top) / rows)))
        small.paste(band, (0, (start - top) // rows))
    assert small is not None
    return small


def _dissociate(image: Image.Image) -> Image.Image:
    return image.convert({"RGBa": "RGBA", "La": "LA"}.get(image.mode, image.mode))
