"""Renditions: smaller, upright, in sRGB, without any metadata, in a format that browsers show."""

import io
from collections.abc import Callable
from functools import partial
from typing import IO, Any

from PIL import ExifTags, Image, ImageCms, ImageSequence

from imageapi.bounds import Watched, bounded
from imageapi.errors import AppError, UnprocessableError
from imageapi.exif import clean_orientation
from imageapi.imaging import SWAPS_SIDES, open_picture, to_rgb, turn_upright
from imageapi.variants import Variant

QUALITY: dict[str, dict[str, Any]] = {
    "jpg": {"format": "JPEG", "quality": 82, "progressive": True, "optimize": True},
    "webp": {"format": "WEBP", "quality": 80, "method": 2},
    "avif": {"format": "AVIF", "quality": 60, "speed": 8},
}
MAX_SIDE = 16_383
"""The longest side of a rendition: what WebP can hold."""
MAX_PLAYS = 65_535
MAX_ANIMATED_FRAMES = 300
MAX_ANIMATED_PIXELS = 100_000_000
"""Over all frames. Longer animations are shown as their first frame."""


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
        with bounded(source) as watched:
            encode = _decode(watched, variant, max_pixels)
        # Out of bounds, which AVIF's encoder would not survive: a rendition is as large as was asked for.
        return encode()
    except (AppError, MemoryError):
        raise
    except Exception as error:  # a decoder given hostile bytes raises nearly anything
        raise UnprocessableError("The picture cannot be rendered.", code="image_corrupt") from error


def _decode(source: Watched, variant: Variant, max_pixels: int) -> Callable[[], bytes]:
    """Everything but the encoding, which is returned."""
    image = open_picture(source, max_pixels)
    orientation = read_orientation(image)
    if variant.extension == "webp" and is_short_animation(image):
        return _decode_animation(image, variant, orientation, source)
    seen = image.size[::-1] if orientation in SWAPS_SIDES else image.size
    target = fit(seen, variant)
    stored_target = target[::-1] if orientation in SWAPS_SIDES else target
    profile = image.info.get("icc_profile")
    image.draft(None, scale_to_fill(image.size, stored_target))
    image.load()
    small = _resize(_make_resizable(image), stored_target, cut=variant.cover)
    small = _to_srgb(small, profile)
    return partial(_encode, turn_upright(small, orientation), variant.extension)


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


def find_box(
    size: tuple[int, int], target: tuple[int, int], *, cut: bool
) -> tuple[float, float, float, float]:
    """What is shown of a picture: left, top, right and bottom.

    Args:
        cut: only what has the shape of the target; what stands over is cut evenly from both sides.
    """
    width, height = size
    if not cut:
        return 0, 0, width, height
    scale = min(width / target[0], height / target[1])
    # Of one of the two nothing is cut, which arithmetic may miss by a hair, below zero too.
    cut_x, cut_y = max(0.0, width - target[0] * scale) / 2, max(0.0, height - target[1] * scale) / 2
    return cut_x, cut_y, width - cut_x, height - cut_y


def read_orientation(image: Image.Image) -> int:
    """How the pixels that Pillow loads have to be turned: the EXIF orientation, 1 to 8; 1 for not at all."""
    if image.format == "TIFF":  # the one format that Pillow turns upright by itself
        return 1
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # EXIF that cannot be read is no reason not to show a picture that can
        return 1
    return clean_orientation(value) or 1


def is_short_animation(image: Image.Image) -> bool:
    """Whether all frames can be rendered within bounds. TIFF pages and the like are no animation."""
    if image.format not in ("GIF", "WEBP", "PNG", "AVIF"):
        return False
    frames = getattr(image, "n_frames", 1)
    if frames < 2:
        return False
    return frames <= MAX_ANIMATED_FRAMES and frames * image.width * image.height <= MAX_ANIMATED_PIXELS


def count_plays(image: Image.Image) -> int:
    """How often an animation plays, 0 for ever. A GIF says how often it is repeated after the first time;
    WebP can count to MAX_PLAYS.
    """
    loop = image.info.get("loop")
    if image.format == "GIF":
        loop = 1 if loop is None else loop and loop + 1
    return loop if loop and loop <= MAX_PLAYS else 0


def _decode_animation(
    image: Image.Image, variant: Variant, orientation: int, source: Watched
) -> Callable[[], bytes]:
    turned = orientation in SWAPS_SIDES
    target = fit(image.size[::-1] if turned else image.size, variant)
    stored_target = target[::-1] if turned else target
    profile = image.info.get("icc_profile")
    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        source.check_time()
        small = _to_srgb(_resize(frame.convert("RGBA"), stored_target, cut=variant.cover), profile)
        frames.append(turn_upright(small, orientation))
        durations.append(int(frame.info.get("duration") or 100))
    return partial(_encode_animation, frames, durations, count_plays(image))


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
    return buffer.getvalue()


def _make_resizable(image: Image.Image) -> Image.Image:
    """A mode in which resizing averages colours: palettes and bit masks do not, nor one colour that stands
    for nothing.
    """
    if image.mode.startswith(("I", "F")):
        return to_rgb(image)
    if image.has_transparency_data and image.mode not in ("RGBA", "LA"):
        return image.convert("RGBA")
    return image if image.mode in ("RGB", "RGBA", "L", "LA", "CMYK") else image.convert("RGB")


def _resize(image: Image.Image, target: tuple[int, int], *, cut: bool) -> Image.Image:
    """Resize to the target; ``cut`` as for :func:`find_box`."""
    if image.size == target:
        return image
    box = find_box(image.size, target, cut=cut)
    return image.resize(target, Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Apply the picture's own colour profile, on the few pixels that are left."""
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    colours = image.convert(image.mode.rstrip("A")) if alpha else image
    converted = _apply_profile(colours, profile) if profile else None
    result = converted or colours.convert("RGB")
    if alpha is not None:
        result.putalpha(alpha)
    return result


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """None for a profile that is broken or made for another mode: then it is as if there were none."""
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
