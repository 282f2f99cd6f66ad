"""Renditions: a picture made smaller, upright, in sRGB, without metadata, in a format that browsers show."""

import io
import math
from collections.abc import Callable
from functools import partial
from typing import IO, Any

from PIL import ExifTags, Image, ImageCms

from imageapi.animation import (
    count_plays,
    is_short_animation,
    read_frames,
    round_durations,
    seek_first_frame,
)
from imageapi.bounds import LimitedReader, bounded
from imageapi.errors import AppError, UnprocessableError
from imageapi.exif import clean_orientation
from imageapi.imaging import SWAPS_SIDES, open_picture, turn_upright
from imageapi.modes import (
    Levels,
    gamma_to_srgb,
    grey_levels,
    is_deep,
    to_eight_bits,
    to_rgb,
    unmultiply_grey,
)
from imageapi.variants import Variant

QUALITY: dict[str, dict[str, Any]] = {
    "jpg": {"format": "JPEG", "quality": 82, "progressive": True, "optimize": True},
    "webp": {"format": "WEBP", "quality": 80, "method": 2},
    "avif": {"format": "AVIF", "quality": 60, "speed": 8},
}
MAX_SIDE = 16_383
"""The longest side of a rendition: what WebP can hold."""
VP8X_ALPHA = 0x10
"""The flag in the header of a WebP that says that not everything is opaque."""
MAX_MEMORY = 1_250 * 2**20
"""Address space for decoding and resizing, in bytes, as ``bounds.MAX_MEMORY``: more than an upload has, since
a JPEG is decoded at the size that is wanted. The heaviest takes 1,144 MiB (a progressive CMYK JPEG of
65,000 x 1,530 pixels, cut to a square), which fits into the 1,536 MB of DeliverFunction and AnalyzeFunction.
"""
BAND_PIXELS = 2_000_000
"""About so many are converted at a time, see :func:`_reduce`."""
MARGIN = 2.5
"""How far LANCZOS looks beyond the part that is shown, in pixels of the rendition."""
GAP = 2.0
"""Blocks of pixels are averaged first, down to this many times the size that is wanted: Pillow's
``reducing_gap``.
"""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


def render(source: IO[bytes], variant: Variant, max_pixels: int) -> bytes:
    """Make a rendition.

    A JPEG is decoded at the smallest scale that still has every pixel that is wanted. An animation stays one
    in WebP; in the other formats it is its first frame. A picture that is smaller than asked for is not
    enlarged.

    Raises:
        UnsupportedMediaTypeError, UnprocessableError: as for an upload, when the stored original cannot be
            read.
    """
    try:
        with bounded(source, memory=MAX_MEMORY) as reader:
            encode = _decode(reader, variant, max_pixels)
        # Without limits: AVIF's encoder would not survive a failed allocation, and what it is given is small.
        return encode()
    except (AppError, MemoryError):
        raise
    except Exception as error:  # a decoder given hostile bytes raises nearly anything
        raise UnprocessableError("The picture cannot be rendered.", code="image_corrupt") from error


def _decode(source: LimitedReader, variant: Variant, max_pixels: int) -> Callable[[], bytes]:
    """Decode and resize; returns a function that encodes the result."""
    image = open_picture(source, max_pixels)
    orientation = read_orientation(image)
    if variant.extension == "webp" and is_short_animation(image):
        return _decode_animation(image, variant, orientation, source)
    target = plan_size(image.size, orientation, variant)
    info = dict(image.info)
    image.draft(None, scale_to_fill(image.size, target))
    seek_first_frame(image)
    image.load()
    small = _to_srgb(_resize(image, target, cut=variant.cover), info)
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
    scale = min(1.0, variant.width / width, MAX_SIDE / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def scale_to_fill(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int]:
    """The size at which a picture just covers the target: what has to be decoded."""
    scale = max(target[0] / size[0], target[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def find_box(size: tuple[int, int], target: tuple[int, int], *, cut: bool) -> Box:
    """The part of a picture that is shown. (``ImageOps.fit`` has the same
    arithmetic, but resizes without a ``reducing_gap``, which takes far longer for a large picture.)

    Args:
        cut: only a part that has the shape of the target; the rest is cut off, evenly from both sides.
    """
    width, height = size
    if not cut:
        return 0, 0, width, height
    scale = min(width / target[0], height / target[1])
    # One of the two is zero, but rounding errors can make it slightly negative.
    cut_x, cut_y = max(0.0, width - target[0] * scale) / 2, max(0.0, height - target[1] * scale) / 2
    return cut_x, cut_y, width - cut_x, height - cut_y


def read_orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8, that the pixels still have after Pillow has loaded them; 1 is upright."""
    if image.format == "TIFF":  # the one format that Pillow turns upright by itself
        return 1
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # EXIF that cannot be read is no reason not to show a picture that can
        return 1
    return clean_orientation(value) or 1


def _decode_animation(
    image: Image.Image, variant: Variant, orientation: int, source: LimitedReader
) -> Callable[[], bytes]:
    target = plan_size(image.size, orientation, variant)
    info = dict(image.info)
    frames, durations = [], []
    for frame, duration in read_frames(image):
        source.check_time()
        small = _to_srgb(_resize(frame, target, cut=variant.cover), info)
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


def _resize(image: Image.Image, target: tuple[int, int], *, cut: bool) -> Image.Image:
    """Resize to the target, in mode RGB, RGBA, L, LA or CMYK; ``cut`` as for :func:`find_box`."""
    if image.size == target:
        return _make_resizable(image)
    box = find_box(image.size, target, cut=cut)
    if _is_resizable(image):
        return image.resize(target, Image.Resampling.LANCZOS, box=box, reducing_gap=GAP)
    small, box = _reduce(image, box, target)
    small = small.resize(target, Image.Resampling.LANCZOS, box=box)
    return small.convert({"RGBa": "RGBA", "La": "LA"}.get(small.mode, small.mode))


def _is_resizable(image: Image.Image) -> bool:
    """Whether Pillow can resize the picture as it is, without a copy in another mode."""
    return image.mode in ("RGB", "L", "CMYK") and not image.has_transparency_data


def _make_resizable(image: Image.Image, levels: Levels | None = None) -> Image.Image:
    """The picture in a mode in which averaging pixels gives the right colour. Palettes and bit masks are
    none, and neither is one colour that means transparent. ``levels`` as for ``modes.to_rgb``.
    """
    image = unmultiply_grey(image)
    if is_deep(image):
        grey = to_eight_bits(image, levels)
        return grey.convert("RGBA" if grey.mode == "LA" else "RGB")
    if image.has_transparency_data and image.mode not in ("RGBA", "LA"):
        return image.convert("RGBA")
    return image if image.mode in ("RGB", "RGBA", "L", "LA", "CMYK") else image.convert("RGB")


def _reduce(image: Image.Image, box: Box, target: tuple[int, int]) -> tuple[Image.Image, Box]:
    """Do what ``reducing_gap`` does, for a picture that has to be converted: average blocks of pixels.

    It is converted in bands, since a copy of a large picture in another mode may not fit the memory.

    Returns:
        The reduced part of the picture, in mode RGB, L, CMYK, RGBa or La, and where the box is in it.
    """
    scales = (box[2] - box[0]) / target[0], (box[3] - box[1]) / target[1]
    columns, rows = (max(1, int(scale / GAP)) for scale in scales)
    margin_x, margin_y = (MARGIN * scale for scale in scales)
    left, top = max(0, int(box[0] - margin_x)), max(0, int(box[1] - margin_y))
    right = min(image.width, math.ceil(box[2] + margin_x))
    bottom = min(image.height, math.ceil(box[3] + margin_y))
    levels = grey_levels(image) if is_deep(image) else None
    height = max(1, BAND_PIXELS // (right - left) // rows) * rows
    small: Image.Image | None = None
    for start in range(top, bottom, height):
        band = image.crop((left, start, right, min(start + height, bottom)))
        band = _make_resizable(band, levels)
        # With associated alpha, so that transparent pixels do not lend their colour to their neighbours.
        band = band.convert({"RGBA": "RGBa", "LA": "La"}.get(band.mode, band.mode)).reduce((columns, rows))
        if small is None:
            small = Image.new(band.mode, (band.width, math.ceil((bottom - top) / rows)))
        small.paste(band, (0, (start - top) // rows))
    assert small is not None
    return small, (
        (box[0] - left) / columns,
        (box[1] - top) / rows,
        (box[2] - left) / columns,
        (box[3] - top) / rows,
    )


def _to_srgb(image: Image.Image, info: dict[Any, Any]) -> Image.Image:
    """Convert from the picture's own colour profile or gamma, which is cheap once the picture is small.

    Args:
        info: of the picture as it was opened.
    """
    profile = info.get("icc_profile")
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    colours = image.convert(image.mode.rstrip("A")) if alpha else image
    converted = _apply_profile(colours, profile) if profile else None
    result = converted or colours.convert("RGB")
    if curve := None if profile else gamma_to_srgb(info):
        result = result.point(curve * 3)
    if alpha is not None:
        result.putalpha(alpha)
    return result


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """None when the profile is broken or made for another mode; it is then ignored."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _encode(image: Image.Image, extension: str) -> bytes:
    if extension == "jpg":
        image = to_rgb(image)
    buffer = io.BytesIO()
    # Everything that Pillow would carry over by itself is in info: EXIF, XMP, profile, comment.
    image.info.clear()
    image.save(buffer, exif=b"", **QUALITY[extension])
    return buffer.getvalue()
