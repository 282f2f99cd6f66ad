"""Inspect an image: type, size, number of frames, EXIF, placeholder.

Every frame is decoded: only that proves that all pixels exist. A JPEG is decoded at a fraction of its size,
which reads all data but saves most of the arithmetic.
"""

from dataclasses import dataclass, replace
from threading import Event
from typing import IO, Any

from PIL import Image

from imageapi.pictures import intermediate
from imageapi.pictures.decode_limits import LimitedReader, bounded
from imageapi.pictures.exif import read_exif
from imageapi.pictures.frames import has_default_image, seek_first_frame
from imageapi.pictures.identify import Kind, explained_failures, kind_of, open_picture
from imageapi.pictures.orientation import SWAPS_SIDES, turn_upright
from imageapi.pictures.pixel_limits import check_animation, check_frame, is_animated
from imageapi.pictures.placeholder import make_placeholder
from imageapi.pictures.scale_on_load import load_at_scale

DRAFT_SIDE = 128


@dataclass(frozen=True)
class Picture:
    """An image that decoded completely.

    Attributes:
        width, height: pixels as a viewer sees them, after the EXIF orientation.
        frames: 1 for a still image, otherwise the number of frames or pages, without the default image of a
            PNG (for viewers without animation).
        exif: without GPS: ``camera``, ``lens``, ``taken_at`` (ISO 8601, with an offset only if the camera
            recorded one), ``orientation`` (1 to 8), ``exposure_time`` (seconds), ``f_number``, ``iso``,
            ``focal_length`` (millimeters). Missing fields are omitted.
        placeholder: the image at 16 pixels, as a ``data:`` URL of about 150 characters.
        intermediate: a JPEG for rendering small variants (see ``intermediate``), for large images only.
    """

    kind: Kind
    width: int
    height: int
    frames: int
    exif: dict[str, Any]
    placeholder: str
    intermediate: bytes | None = None


def inspect(source: IO[bytes], max_pixels: int, cancelled: Event | None = None) -> Picture:
    """Decode an image and describe it.

    Args:
        cancelled: set it from another thread to end the decode soon, with an error.

    Raises:
        UnsupportedMediaTypeError, UnprocessableError: as :func:`identify.identify`; also ``image_corrupt`` if
            pixels are missing.
    """
    with bounded(source, cancelled=cancelled) as reader:
        picture, pixels = _inspect(reader, max_pixels)
    if not pixels:
        return picture
    from imageapi.pictures.encode import encode  # only large images need this import

    return replace(picture, intermediate=encode(pixels, "intermediate"))


def _inspect(source: LimitedReader, max_pixels: int) -> tuple[Picture, Image.Image | None]:
    """The image, and the pixels of its intermediate, if any."""
    image = open_picture(source, max_pixels)
    kind = kind_of(image)
    with explained_failures(source, max_pixels, opened=True):
        if kind.format == "PNG":
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
        frames = _count_frames(image, kind, max_pixels, source)
    if orientation in SWAPS_SIDES:
        width, height = height, width
    picture = Picture(kind, width, height, frames, exif, placeholder)
    return picture, turn_upright(pixels, orientation) if pixels else None


def _count_frames(image: Image.Image, kind: Kind, max_pixels: int, source: LimitedReader) -> int:
    """Decode the frames after the first, one at a time. Returns the total number of frames."""
    uncounted = 1 if has_default_image(image) else 0
    if kind.format in ("JPEG", "BMP") or not is_animated(image):
        return 1
    pixels = check_frame(image, max_pixels)
    frame = 1
    while True:
        try:
            image.seek(frame)
        except EOFError:
            return frame - uncounted
        source.check_time()
        pixels += check_frame(image, max_pixels)
        frame += 1
        check_animation(image, frame, pixels, max_pixels)
        image.load()
