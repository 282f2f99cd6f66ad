"""Formats of uploads, and how to recognize them. Pure."""

import re
from dataclasses import dataclass

from imageapi.errors import UnsupportedMediaTypeError

FORMATS = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
    "AVIF": ("image/avif", "avif"),
    "HEIF": ("image/heic", "heic"),
    "BMP": ("image/bmp", "bmp"),
    "TIFF": ("image/tiff", "tif"),
}
"""Media type and file extension, by Pillow's name of the format."""
MIME_TYPES = tuple(mime_type for mime_type, _ in FORMATS.values())
OTHER_TYPES = {"image/heif": "image/heic", "image/apng": "image/png"}
"""Types that browsers name for files of these formats. On Linux, they name ``image/heif`` for each HEIC."""
SUPPORTED = "JPEG, PNG, GIF, WebP, AVIF, HEIC, BMP or TIFF"
HEAD_BYTES = 64
"""The number of bytes by which :func:`find_kind` recognizes a format."""
_MAGIC = re.compile(
    rb"(?P<JPEG>\xff\xd8\xff)|(?P<PNG>\x89PNG\r\n\x1a\n)|(?P<GIF>GIF8[79]a)|(?P<WEBP>RIFF.{4}WEBP)|(?P<BMP>BM)"
    # Generic files list their codec among the compatible brands.
    rb"|(?P<AVIF>.{4}ftyp(?:avi[fs]|m[is]f1.{4,}avif))|(?P<HEIF>.{4}ftyp(?:he[iv][cxms]|m[is]f1))"
    rb"|(?P<TIFF>II\*\x00|MM\x00\*|II\+\x00|MM\x00\+)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Kind:
    """The type of an image; ``format`` is a key of FORMATS."""

    format: str
    mime_type: str
    extension: str


def find_kind(head: bytes) -> Kind:
    """Recognize a file by its first HEAD_BYTES bytes. Neither its name nor its declared type matters.

    Raises:
        UnsupportedMediaTypeError: it is not an image of a supported type.
    """
    match = _MAGIC.match(head[:HEAD_BYTES])
    if not match or not match.lastgroup:
        raise UnsupportedMediaTypeError(
            f"The file must be a {SUPPORTED} image.", code="unsupported_image_type"
        )
    return Kind(match.lastgroup, *FORMATS[match.lastgroup])
