"""The type of an image from its first bytes, and its size from its header, without decoding."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, cast

from PIL import Image

from imageapi.errors import UnprocessableError, UnsupportedMediaTypeError
from imageapi.model.image_formats import FORMATS
from imageapi.pictures.decode_limits import LimitedReader, bounded, is_out_of_memory
from imageapi.pictures.diagnosis import find_unsupported
from imageapi.pictures.pixel_formats import shorten_transparent_colour
from imageapi.pictures.pixel_limits import check_frame, too_many_pixels

SUPPORTED = "JPEG, PNG, GIF, WebP, AVIF, BMP or TIFF"
_MAGIC = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF.{4}WEBP|.{4}ftypavi[fs]|BM"
    rb"|II\*\x00|MM\x00\*|II\+\x00|MM\x00\+",
    re.DOTALL,
)


@dataclass(frozen=True)
class Kind:
    """The type of an image."""

    format: str
    mime_type: str
    extension: str


def identify(source: IO[bytes], max_pixels: int) -> Kind:
    """Read the type from the first bytes and check the size in the header, without decoding.

    Raises:
        UnsupportedMediaTypeError: it is not an image of a supported type.
        UnprocessableError: it is broken (``image_corrupt``), too large (``too_many_pixels``), or needs too
            much time or memory (``image_too_complex``).
    """
    with bounded(source) as reader:
        return kind_of(open_picture(reader, max_pixels))


def open_picture(source: LimitedReader, max_pixels: int) -> Image.Image:
    """Open an image without decoding it; checks and errors as for :func:`identify`."""
    source.seek(0)
    head = source.read(16)
    source.seek(0)
    if not _MAGIC.match(head):
        raise UnsupportedMediaTypeError(
            f"The file must be a {SUPPORTED} image.", code="unsupported_image_type"
        )
    # Some decoders check this limit and allocate memory as soon as they read the size.
    Image.MAX_IMAGE_PIXELS = max_pixels // 2  # Pillow warns above this, and refuses above twice this
    # Each of Pillow's warnings, such as one of an odd tag, would be a log line.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    with explained_failures(source, max_pixels, opened=False):
        image = Image.open(cast(IO[bytes], source), formats=list(FORMATS))
    check_frame(image, max_pixels)
    shorten_transparent_colour(image)
    return image


def kind_of(image: Image.Image) -> Kind:
    # MPO is a JPEG that contains further images. Many phones write it.
    name = "JPEG" if image.format == "MPO" else str(image.format)
    return Kind(name, *FORMATS[name])


@contextmanager
def explained_failures(source: LimitedReader, max_pixels: int, *, opened: bool) -> Iterator[None]:
    """Raise an error with the cause of Pillow's failure; ``opened`` as for :func:`find_unsupported`."""
    try:
        yield
    except (UnprocessableError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise too_many_pixels(max_pixels) from error
    except Exception as error:  # with hostile bytes, a decoder may raise any error
        # If memory ran out, bounded() reads errno. Reading the file again could overwrite it.
        if not is_out_of_memory() and (name := find_unsupported(source, opened=opened)):
            raise UnsupportedMediaTypeError(
                f"This kind of {name} is not supported. Convert the file.", code="unsupported_image_type"
            ) from error
        raise UnprocessableError(
            "The image is damaged or incomplete. Send an intact file.", code="image_corrupt"
        ) from error
