"""Names of variants. Pure.

A name is ``w<width>``, optionally ``-cover`` (a square crop from the centre; otherwise the whole picture),
and optionally ``.webp``, ``.avif`` or ``.jpg`` (otherwise the Accept header decides): ``w320``,
``w640-cover.jpg``.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from imageapi.errors import NotFoundError
from imageapi.model.parameters import InvalidParameterError
from imageapi.model.variant_formats import MIME_TYPES, choose_format

ORIGINAL = "original"
LINKED = {"original": ORIGINAL, "thumbnail": "w320", "preview": "w1280"}
"""The variants that every image links to, by key in ``urls``."""
WIDTHS = (160, 320, 640, 1280, 1920)
"""In pixels. A fixed set: with arbitrary widths, clients could fill the bucket."""
MAX_NAMES = 30
INTERMEDIATE = "intermediate.jpg"
"""The name of a large picture's intermediate, which is stored with its variants. No link can name it."""
INTERMEDIATE_SIDE = 640
"""Minimum shorter side of an intermediate, in pixels; it is always less than twice this."""
INTERMEDIATE_MAX_BYTES = 16 * 2**20
"""No intermediate is larger: 1,279 x 3,837 pixels of noise take 10 MB."""
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
        NotFoundError: ``variant_unknown``.
    """
    match = _NAME.fullmatch(name)
    if not match:
        raise unknown_variant()
    extension = match["extension"] or choose_format(accept, allowed)
    return Variant(int(match["width"]), bool(match["cover"]), extension)


def unknown_variant() -> NotFoundError:
    """404: no variant has this name."""
    widths = ", ".join(map(str, WIDTHS))
    return NotFoundError(f"There is no such variant. The widths are {widths}.", code="variant_unknown")


def parse_names(text: str | None) -> tuple[str, ...]:
    """Parse the comma-separated variant names that a client wants links for.

    Raises:
        InvalidParameterError: a name is invalid, or there are too many.
    """
    names = tuple(name for name in (text or "").split(",") if name)
    for name in names:
        if not _NAME.fullmatch(name) or len(names) > MAX_NAMES:
            raise InvalidParameterError(
                "variants",
                f"takes up to {MAX_NAMES} names such as w640-cover.webp;"
                f" {name[:64]!r} is none, or one too many",
                widths=list(WIDTHS),
            )
    return names
