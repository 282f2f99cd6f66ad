"""Inspect an image: type, size, number of frames, EXIF, placeholder.

Every frame is decoded: only that proves that all pixels exist. A JPEG is decoded at a fraction of its size,
which reads all data but saves most of the arithmetic.
"""

from dataclasses import replace
from typing import IO

from PIL import Image

from imageapi.model.picture import Picture
from imageapi.pictures import intermediate
from imageapi.pictures.encode import encode
from imageapi.pictures.exif import read_exif
from imageapi.pictures.frames import has_default_image, seek_first_frame
from imageapi.pictures.open import explained_failures, open_picture
from imageapi.pictures.orientation import SWAPS_SIDES, turn_upright
from imageapi.pictures.pixel_limits import check_animation, check_frame, is_animated
from imageapi.pictures.placeholder import make_placeholder
from imageapi.pictures.scale_on_load import load_at_scale

DRAFT_SIDE = 128


def inspect(source: IO[bytes], max_pixels: int) -> Picture:
    """Decode an image and describe it.

    Raises:
        UnsupportedMediaTypeError, UnprocessableError: as :func:`open.open_picture`; also ``image_corrupt`` if
            pixels are missing.
    """
    picture, pixels = _inspect(source, max_pixels)
    return replace(picture, intermediate=encode(pixels, "intermediate")) if pixels else picture


def _inspect(source: IO[bytes], max_pixels: int) -> tuple[Picture, Image.Image | None]:
    """The image, and the pixels of its intermediate, if any."""
    image = open_picture(source, max_pixels)
    with explained_failures(source, max_pixels, opened=True):
        if image.format == "PNG":
            # Both are needed: load() skips the checksums, and verify() the pixels.
            image.verify()
            image = open_picture(source, max_pixels)
        is_large, info = intermediate.is_wanted(image), dict(image.info)
        wanted = intermediate.draft_size(image.size) if is_large else (DRAFT_SIDE, DRAFT_SIDE)
        width, height = load_at_scale(image, wanted)
        exif = read_exif(image)
        orientation = exif.get("orientation", 1)
        seek_first_frame(image)
        placeholder = make_placeholder(image, orientation)
        pixels = intermediate.reduce(image, info) if is_large else None
        frames = _count_frames(image, max_pixels)
    if orientation in SWAPS_SIDES:
        width, height = height, width
    picture = Picture(width, height, frames, exif, placeholder)
    return picture, turn_upright(pixels, orientation) if pixels else None


def _count_frames(image: Image.Image, max_pixels: int) -> int:
    """Decode the frames after the first, one at a time. Returns the total number of frames."""
    uncounted = 1 if has_default_image(image) else 0
    if image.format in ("JPEG", "MPO", "BMP", "HEIF") or not is_animated(image):
        return 1
    pixels = check_frame(image, max_pixels)
    frame = 1
    while True:
        try:
            image.seek(frame)
        except EOFError:
            return frame - uncounted
        pixels += check_frame(image, max_pixels)
        frame += 1
        check_animation(image, frame, pixels, max_pixels)
        image.load()
