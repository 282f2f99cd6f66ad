"""Names of variants. Pure.

A name such as ``w320`` or ``w640-cover.jpg`` is ``w<width>``, optional ``-cover`` (a square crop from the
center instead of the whole image), and optional ``.webp``, ``.avif`` or ``.jpg`` (if missing, the Accept
header decides).
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from imageapi.errors import NotFoundError
from imageapi.model.variant_formats import MIME_TYPES, choose_format

ORIGINAL = "original"
LINKED = {"original": ORIGINAL, "thumbnail": "w320", "preview": "w1280"}
"""The variants in ``urls`` of every image, by their key."""
WIDTHS = (160, 320, 640, 1280, 1920)
"""In pixels. The set is fixed because arbitrary widths would allow clients to fill the bucket."""
MAX_SIDE = 16_383
"""The longest side of a variant, in pixels: WebP's maximum."""
MAX_ENCODED_PIXELS = 16_000_000
"""A larger variant is scaled down to this. The AVIF encoder takes about 12 s for it on one core. Each request
has 30 s to decode, encode and store a variant (``catalog.variants.LEASE_SECONDS``).
"""
INTERMEDIATE = "intermediate.jpg"
"""The name of the intermediate, which is stored with the variants. No link can name it."""
INTERMEDIATE_SIDE = 640
"""Minimum shorter side of an intermediate, in pixels; the maximum is just below twice this."""
INTERMEDIATE_MAX_BYTES = 16 * 2**20
"""An upper bound: an intermediate with 1,279 x 3,837 pixels of noise has 10 MB."""
Size = tuple[int, int]
"""Width and height in pixels."""
_WIDTH = "|".join(map(str, WIDTHS))
_NAME = re.compile(rf"w(?P<width>{_WIDTH})(?P<cover>-cover)?(?:\.(?P<extension>webp|avif|jpg))?")


@dataclass(frozen=True)
class Variant:
    """A variant.

    Attributes:
        width: in pixels, after EXIF orientation; for ``cover`` also the height. Smaller sources keep their
            size.
        cover: whether to crop a square from the center.
        extension: the format.
    """

    width: int
    cover: bool
    extension: str

    @property
    def name(self) -> str:
        """The name with its format; also the last part of the object's key."""
        return f"w{self.width}{'-cover' if self.cover else ''}.{self.extension}"

    def fit(self, size: Size) -> Size:
        """The size of this variant of an image of this size, both upright."""
        width, height = size
        if self.cover:
            side = min(self.width, width, height)
            return side, side
        few_enough = math.sqrt(MAX_ENCODED_PIXELS / (width * height))
        scale = min(1.0, self.width / width, MAX_SIDE / height, few_enough)
        return max(1, round(width * scale)), max(1, round(height * scale))

    @property
    def mime_type(self) -> str:
        return MIME_TYPES[self.extension]

    @property
    def is_small(self) -> bool:
        """Whether every intermediate suffices for it: the intermediate's sides are at least twice as long."""
        return self.width * 2 <= INTERMEDIATE_SIDE


def parse_variant(name: str, accept: str | None, allowed: Collection[str] = tuple(MIME_TYPES)) -> Variant:
    """Parse a name. If it has no extension, ``accept`` decides the format.

    Args:
        allowed: the extensions that ``accept`` chooses from. An extension in the name can be any other.

    Raises:
        NotFoundError: ``variant_not_found``.
    """
    match = _NAME.fullmatch(name)
    if not match:
        raise unknown_variant()
    extension = match["extension"] or choose_format(accept, allowed)
    return Variant(int(match["width"]), bool(match["cover"]), extension)


def unknown_variant() -> NotFoundError:
    """404: no variant has this name."""
    widths = ", ".join(map(str, WIDTHS))
    return NotFoundError(
        f"This variant does not exist. The widths are {widths}.",
        code="variant_not_found",
        details={"widths": list(WIDTHS)},
    )
