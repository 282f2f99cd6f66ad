"""Names of variants. Pure.

A name is ``w<width>``, optionally ``-cover`` (a square cut from the middle; otherwise the whole picture is
kept), and optionally ``.webp``, ``.avif`` or ``.jpg`` (otherwise the Accept header decides): ``w320``,
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
"""The links that every image carries, by their name in ``urls``."""
WIDTHS = (160, 320, 640, 1280, 1920)
"""In pixels. A set, not a range: what is not in it cannot be asked for, so nobody can fill the bucket."""
MAX_NAMES = 30
INTERMEDIATE = "intermediate.jpg"
"""The name of a large picture's intermediate, which is kept among its variants. No link can have it."""
INTERMEDIATE_SIDE = 640
"""The shorter side of an intermediate, in pixels: so many or more, but less than twice as many."""
INTERMEDIATE_MAX_BYTES = 16 * 2**20
"""No intermediate is larger: 1,279 x 3,837 pixels of noise take 10 MB."""
_NAME = re.compile(r"w(?P<width>[1-9][0-9]{1,3})(?P<cover>-cover)?(?:\.(?P<extension>webp|avif|jpg))?")


@dataclass(frozen=True)
class Variant:
    """A variant.

    Attributes:
        width: of the picture as seen, in pixels; for ``cover`` also the height. Never more than the source
            has.
        cover: whether a square is cut from the middle.
        extension: the format.
    """

    width: int
    cover: bool
    extension: str

    @property
    def name(self) -> str:
        """The full name, format included; also the end of the object's key."""
        return f"w{self.width}{'-cover' if self.cover else ''}.{self.extension}"

    @property
    def mime_type(self) -> str:
        """The media type."""
        return MIME_TYPES[self.extension]

    @property
    def is_small(self) -> bool:
        """Whether an intermediate has pixels enough for it: twice as many on each side, or more."""
        return self.width * 2 <= INTERMEDIATE_SIDE


def parse_variant(name: str, accept: str | None, allowed: Collection[str] = tuple(MIME_TYPES)) -> Variant:
    """Read a name; the format comes from ``accept`` when the name has none.

    Args:
        allowed: the extensions that ``accept`` chooses from; one that the name has need not be among them.

    Raises:
        NotFoundError: ``variant_unknown``.
    """
    match = _NAME.fullmatch(name)
    if not match or int(match["width"]) not in WIDTHS:
        widths = ", ".join(map(str, WIDTHS))
        raise NotFoundError(f"There is no such variant; widths are {widths}.", code="variant_unknown")
    extension = match["extension"] or choose_format(accept, allowed)
    return Variant(int(match["width"]), bool(match["cover"]), extension)


def parse_names(text: str | None) -> list[str]:
    """The names of variants that a client wants links for, separated by commas.

    Raises:
        InvalidParameterError: one of them is none, or they are too many.
    """
    names = [name for name in (text or "").split(",") if name]
    for name in names:
        match = _NAME.fullmatch(name)
        if not match or int(match["width"]) not in WIDTHS or len(names) > MAX_NAMES:
            raise InvalidParameterError(
                "variants",
                f"takes up to {MAX_NAMES} names such as w640-cover.webp;"
                f" {name[:64]!r} is none, or one too many",
                widths=list(WIDTHS),
            )
    return names
