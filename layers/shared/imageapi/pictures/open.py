"""Open an image: read its header and check its size, without decoding."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from pi_heif import register_heif_opener
from PIL import (  # all plugins: the decoder cannot import any later
    AvifImagePlugin,
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from imageapi.errors import UnprocessableError, UnsupportedMediaTypeError
from imageapi.model.image_formats import HEAD_BYTES, find_kind
from imageapi.pictures.diagnosis import find_unsupported
from imageapi.pictures.pixel_formats import shorten_transparent_colour
from imageapi.pictures.pixel_limits import check_frame, too_many_pixels

# In one thread each: the decoder may not start any.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)

_LIBHEIF_TOO_LARGE = "exceeds the maximum image size"
"""In libheif's error for a size above its own limit, which it reports before its header can be checked."""


def open_picture(source: IO[bytes], max_pixels: int) -> Image.Image:
    """Open an image without decoding it.

    Raises:
        UnsupportedMediaTypeError: it is not an image of a supported type.
        UnprocessableError: it is broken (``image_corrupt``) or too large (``too_many_pixels``).
    """
    source.seek(0)
    kind = find_kind(source.read(HEAD_BYTES))
    source.seek(0)
    # Some decoders check this limit and allocate memory as soon as they read the size.
    Image.MAX_IMAGE_PIXELS = max_pixels // 2  # Pillow warns above this, and refuses above twice this
    # Each of Pillow's warnings, such as one of an odd tag, would be a log line.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    with explained_failures(source, max_pixels, opened=False):
        image = Image.open(source, formats=[kind.format])
    check_frame(image, max_pixels)
    shorten_transparent_colour(image)
    return image


@contextmanager
def explained_failures(source: IO[bytes], max_pixels: int, *, opened: bool) -> Iterator[None]:
    """Raise an error with the cause of Pillow's failure; ``opened`` as for :func:`find_unsupported`."""
    try:
        yield
    except (UnprocessableError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise too_many_pixels(max_pixels) from error
    except Exception as error:  # with hostile bytes, a decoder may raise any error
        if _LIBHEIF_TOO_LARGE in str(error):
            raise too_many_pixels(max_pixels) from error
        if name := find_unsupported(source, error, opened=opened):
            raise UnsupportedMediaTypeError(
                f"This kind of {name} is not supported. Convert the file.", code="unsupported_image_type"
            ) from error
        raise UnprocessableError(
            "The image is damaged or incomplete. Send an intact file.", code="image_corrupt"
        ) from error
