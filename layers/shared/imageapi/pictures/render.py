"""Render a variant: downscaled, upright, in sRGB, without metadata, in a web format.

The pipeline: ``open.open_picture`` → ``scale_on_load`` → ``resize`` (and crop) → ``colour.to_srgb`` →
``orientation.turn_upright`` → ``encode``, which strips metadata. Animations pass through it frame by frame.
"""

from typing import IO, Any

from PIL import Image

from imageapi.errors import AppError, UnprocessableError
from imageapi.model.variant_names import Size, Variant
from imageapi.pictures.colour import to_srgb
from imageapi.pictures.encode import encode, encode_animation
from imageapi.pictures.frames import (
    count_plays,
    is_short_animation,
    read_frames,
    round_durations,
    seek_first_frame,
)
from imageapi.pictures.open import open_picture
from imageapi.pictures.orientation import SWAPS_SIDES, read_orientation, turn_upright
from imageapi.pictures.resize import resize
from imageapi.pictures.scale_on_load import load_at_scale, scale_to_fill


def render(source: IO[bytes], variant: Variant, max_pixels: int, size: Size | None = None) -> bytes:
    """Render a variant.

    A JPEG is decoded at the smallest scale that covers the variant. An animation stays animated in WebP; in
    other formats, only its first frame is rendered. Images are never enlarged.

    Args:
        source: the original, or its intermediate (see ``intermediate``).
        size: width and height of the original, upright; by default those of ``source``.

    Raises:
        UnsupportedMediaTypeError, UnprocessableError: as for an upload; the original cannot be read.
    """
    try:
        return _render(source, variant, max_pixels, size)
    except (AppError, MemoryError):
        raise
    except Exception as error:  # a decoder given hostile bytes raises nearly anything
        raise UnprocessableError(
            "The image cannot be rendered. Upload it again from an intact file.", code="image_corrupt"
        ) from error


def _render(source: IO[bytes], variant: Variant, max_pixels: int, size: Size | None) -> bytes:
    image = open_picture(source, max_pixels)
    orientation = read_orientation(image) or 1
    info = dict(image.info)

    def plan_size(stored: Size) -> Size:
        """The size of the variant before it is turned upright."""
        if orientation in SWAPS_SIDES:
            width, height = variant.fit(size or stored[::-1])
            return height, width
        return variant.fit(size or stored)

    if variant.extension == "webp" and is_short_animation(image):
        return _render_animation(image, variant, plan_size(image.size), orientation)
    seek_first_frame(image)
    # Pillow turns some TIFFs when it loads them.
    target = plan_size(load_at_scale(image, scale_to_fill(image.size, plan_size(image.size))))
    return encode(_transform(image, variant, target, orientation, info), variant.extension)


def _render_animation(image: Image.Image, variant: Variant, target: Size, orientation: int) -> bytes:
    frames, durations, info = [], [], dict(image.info)
    for frame, duration in read_frames(image):
        frames.append(_transform(frame, variant, target, orientation, info))
        durations.append(duration)
    return encode_animation(frames, round_durations(durations), count_plays(image))


def _transform(
    image: Image.Image, variant: Variant, target: Size, orientation: int, info: dict[Any, Any]
) -> Image.Image:
    """Resize one frame, convert it to sRGB and turn it upright."""
    resized = resize(image, target, cut=variant.cover)
    return turn_upright(to_srgb(resized, info), orientation)
