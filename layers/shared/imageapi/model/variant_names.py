"""Names of variants. Pure.

A name is ``w<width>``, optionally ``-cover`` (a square crop from the centre; otherwise the whole picture),
and optionally ``.webp``, ``.avif`` or ``.jpg`` (otherwise the Accept header decides): ``w320``,
``w640-cover.jpg``.
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from imageapi.errors import NotFoundError
from imageapi.model.variant_formats import MIME_TYPES, choose_format

ORIGINAL = "original"
LINKED = {"original": ORIGINAL, "thumbnail": "w320", "preview": "w1280"}
"""The variants that every image links to, by key in ``urls``."""
WIDTHS = (160, 320, 640, 1280, 1920)
"""In pixels. A fixed set: with arbitrary widths, clients could fill the bucket."""
MAX_SIDE = 16_383
"""The longest side of a variant, in pixels: WebP's maximum."""
MAX_ENCODED_PIXELS = 16_000_000
"""A larger variant is scaled down to this. The AVIF encoder takes about 12 s for it on one core: with
decoding and storing, within the 30 s that a request has for a variant (``catalog.variants.LEASE_SECONDS``).
"""
INTERMEDIATE = "intermediate.jpg"
"""The name of a large picture's intermediate, which is stored with its variants. No link can name it."""
INTERMEDIATE_SIDE = 640
"""Minimum shorter side of an intermediate, in pixels; it is always less than twice this."""
INTERMEDIATE_MAX_BYTES = 16 * 2**20
"""No intermediate is larger: 1,279 x 3,837 pixels of noise take 10 MB."""
Size = tuple[int, int]
"""Width and height in pixels."""
_WIDTH = "|".join(map(str, WIDTHS))
_NAME = re.compile(rf"w(?P<width>{_WIDTH})(?P<cover>-cover)?(?:\.(?P<extension>webp|avif|jpg))?")


@dataclass(frozen=True)
class Variant:
    """A variant.

    Attributes:
        width: in pixels, after EXIF orientation; for ``cover`` also the height. A smaller source is not
            enlarged.
        cover: whether to crop a square from the centre.
        extension: the format.
    """

    width: int
    cover: bool
    extension: str

    @property
    def name(self) -> str:
        """The full name, including the format; also the last part of the object's key."""
        return f"w{self.width}{'-cover' if self.cover else ''}.{self.extension}"

    def fit(self, size: Size) -> Size:
        """The size of this variant of a picture of this size, both upright."""
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
        """Whether an intermediate is large enough to render it from: at least twice as large on each side."""
        return self.width * 2 <= INTERMEDIATE_SIDE


def parse_variant(name: str, accept: str | None, allowed: Collection[str] = tuple(MIME_TYPES)) -> Variant:
    """Parse a name; the format comes from ``accept`` when the name has none.

    Args:
        allowed: the extensions that ``accept`` chooses from; an extension in the name may be any other.

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
