"""What a picture is: its type, size, number of frames, EXIF and a tiny placeholder. Uses Pillow only.

Nothing that a client sent is trusted. The type comes from the first bytes, and the size from the picture's
own header, before anything is decoded. Then everything is decoded, since only that shows that no pixels are
missing; a JPEG at a fraction of its size, which reads all the data and saves most of the arithmetic.
"""

import base64
import io
import re
import warnings
from dataclasses import dataclass, replace
from threading import Event
from typing import IO, Any, cast

from PIL import Image

from imageapi import reduced
from imageapi.animation import has_default_image, seek_first_frame
from imageapi.bounds import (
    LimitedReader,
    bounded,
    check_frame,
    is_animated,
    is_out_of_memory,
    pixel_limit,
    too_many_pixels,
)
from imageapi.errors import AppError, UnprocessableError, UnsupportedMediaTypeError
from imageapi.exif import read_exif
from imageapi.modes import grey_levels, is_deep, shorten_transparent_colour, to_rgb
from imageapi.unsupported import find_unsupported

MIME_TYPES = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
    "AVIF": ("image/avif", "avif"),
    "BMP": ("image/bmp", "bmp"),
    "TIFF": ("image/tiff", "tif"),
}
"""Pillow's format: (media type, file extension)."""

SUPPORTED = "JPEG, PNG, GIF, WebP, AVIF, BMP or TIFF"

MAX_FRAMES = 2_000
ANIMATION_FACTOR = 4
"""An animation may have this many times ``max_pixels``, over all its frames: they are decoded one at a
time.
"""

DRAFT_SIDE = 128
PLACEHOLDER_SIDE = 16

_MAGIC = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF.{4}WEBP|.{4}ftypavi[fs]|BM"
    rb"|II\*\x00|MM\x00\*|II\+\x00|MM\x00\+",
    re.DOTALL,
)
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


@dataclass(frozen=True)
class Kind:
    """What the first bytes say."""

    format: str
    mime_type: str
    extension: str


@dataclass(frozen=True)
class Picture:
    """What a whole, decodable picture is.

    Attributes:
        width, height: pixels as a viewer sees them, after the EXIF orientation.
        frames: 1 for a still picture; the number of frames or pages otherwise. The picture that a PNG has
            for viewers without animation is not counted.
        exif: what the camera said, without position: ``camera``, ``lens``, ``taken_at`` (ISO 8601, with an
            offset only when the camera wrote one), ``orientation`` (1 to 8), ``exposure_time`` (seconds),
            ``f_number``, ``iso``, ``focal_length`` (millimetres). Only what is there.
        placeholder: the picture at 16 pixels, as a ``data:`` URL of about 150 characters.
        reduced: the copy that small renditions are made from, as a JPEG; None when there is to be none.
    """

    kind: Kind
    width: int
    height: int
    frames: int
    exif: dict[str, Any]
    placeholder: str
    reduced: bytes | None = None


def identify(source: IO[bytes], max_pixels: int) -> Kind:
    """Tell the type from the bytes and check the size from the header. Decodes nothing.

    Raises:
        UnsupportedMediaTypeError: not a picture, or not of a supported type.
        UnprocessableError: of a supported type but broken (``image_corrupt``), too large
            (``too_many_pixels``), or made to take for ever (``image_too_complex``).
    """
    with bounded(source) as reader:
        return _kind(open_picture(reader, max_pixels))


def inspect(source: IO[bytes], max_pixels: int, cancelled: Event | None = None) -> Picture:
    """Decode the picture, every frame of it, and tell what it is.

    Args:
        cancelled: set it from another thread to end the decode soon, with an error.

    Raises:
        UnsupportedMediaTypeError, UnprocessableError: as :func:`identify`; ``image_corrupt`` when pixels are
            missing.
    """
    with bounded(source, cancelled=cancelled) as reader:
        picture, copy = _inspect(reader, max_pixels)
    return replace(picture, reduced=reduced.encode(copy)) if copy else picture


def _inspect(source: LimitedReader, max_pixels: int) -> tuple[Picture, Image.Image | None]:
    """The picture, and the pixels of its copy if there is to be one."""
    image = open_picture(source, max_pixels)
    kind = _kind(image)
    try:
        if kind.format == "PNG":
            # Loading skips the checksums, verifying skips the pixels: both are needed.
            image.verify()
            image = open_picture(source, max_pixels)
        wants_copy, info = reduced.is_wanted(image), dict(image.info)
        wanted = reduced.draft_size(image.size) if wants_copy else (DRAFT_SIDE, DRAFT_SIDE)
        width, height = load_picture(image, wanted)
        exif = read_exif(image)
        orientation = exif.get("orientation", 1)
        seek_first_frame(image)
        placeholder = _make_placeholder(image, orientation)
        copy = reduced.reduce(image, info) if wants_copy else None
        frames = _count_frames(image, kind, max_pixels, source)
    except (UnprocessableError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise too_many_pixels(max_pixels) from error
    except Exception as error:  # a decoder given hostile bytes raises nearly anything
        raise _explain(source, opened=True) from error
    if orientation in SWAPS_SIDES:
        width, height = height, width
    picture = Picture(kind, width, height, frames, exif, placeholder)
    return picture, turn_upright(copy, orientation) if copy else None


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as a viewer sees it, given its EXIF orientation."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def open_picture(source: LimitedReader, max_pixels: int) -> Image.Image:
    """Open a picture after the checks of :func:`identify`, which also names the errors; decodes nothing."""
    source.seek(0)
    head = source.read(16)
    source.seek(0)
    if not _MAGIC.match(head):
        raise UnsupportedMediaTypeError(
            f"The file is not a {SUPPORTED} image.", code="unsupported_image_type"
        )
    # Some of Pillow's decoders make room for a picture as soon as they see its size: they ask this limit
    # before.
    Image.MAX_IMAGE_PIXELS = max_pixels // 2  # it refuses at twice this, and warns at this
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    try:
        image = Image.open(cast(IO[bytes], source), formats=list(MIME_TYPES))
    except (UnprocessableError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise too_many_pixels(max_pixels) from error
    except Exception as error:  # as in inspect()
        raise _explain(source, opened=False) from error
    check_frame(image, max_pixels)
    shorten_transparent_colour(image)
    return image


def load_picture(image: Image.Image, wanted: tuple[int, int]) -> tuple[int, int]:
    """Decode a picture; a JPEG at the smallest scale that is no smaller than ``wanted``.

    Returns:
        Its whole size as stored. Of a TIFF that is certain only now: Pillow turns it upright.
    """
    size = image.size
    image.draft(None, wanted)
    image.load()
    return image.size if image.format == "TIFF" else size


def _kind(image: Image.Image) -> Kind:
    # MPO is what Pillow calls a JPEG with further pictures behind the first, as many phones write.
    name = "JPEG" if image.format == "MPO" else str(image.format)
    mime_type, extension = MIME_TYPES[name]
    return Kind(name, mime_type, extension)


def _count_frames(image: Image.Image, kind: Kind, max_pixels: int, source: LimitedReader) -> int:
    """Decode the frames after the first, one at a time, and return how many there are in all."""
    uncounted = 1 if has_default_image(image) else 0
    if kind.format in ("JPEG", "BMP") or not is_animated(image):
        return 1
    limit = pixel_limit(image, max_pixels) * ANIMATION_FACTOR
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
        if frame > MAX_FRAMES or pixels > limit:
            raise UnprocessableError(
                f"The animation is too long: at most {MAX_FRAMES} frames and {limit:,} pixels in all.",
                code="too_many_frames",
                details={"max_frames": MAX_FRAMES, "max_pixels": limit},
            )
        image.load()


def _make_placeholder(image: Image.Image, orientation: int) -> str:
    levels = grey_levels(image) if is_deep(image) else None
    scale = max(1.0, max(image.size) / (PLACEHOLDER_SIDE * 4))
    # Nearest first: it copies few pixels and works in every mode, whatever the size of the picture.
    small = image.resize(_scaled(image.size, scale), Image.Resampling.NEAREST)
    small = to_rgb(small, levels)
    small = small.resize(
        _scaled(small.size, max(1.0, max(small.size) / PLACEHOLDER_SIDE)), Image.Resampling.BOX
    )
    small = turn_upright(small, orientation)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=30, method=0, exif=b"", icc_profile=None)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def _scaled(size: tuple[int, int], divisor: float) -> tuple[int, int]:
    return max(1, round(size[0] / divisor)), max(1, round(size[1] / divisor))


def _explain(source: LimitedReader, *, opened: bool) -> AppError:
    """The error for a picture that could not be read; ``opened`` as for :func:`find_unsupported`."""
    # When memory ran out, bounded() will say so, unless another read of the file changes the only sign of it.
    if not is_out_of_memory() and (name := find_unsupported(source, opened=opened)):
        return UnsupportedMediaTypeError(
            f"This kind of {name} is not supported.", code="unsupported_image_type"
        )
    return UnprocessableError("The picture is broken or not complete.", code="image_corrupt")
