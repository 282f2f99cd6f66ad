"""Convert any of Pillow's modes to 8-bit modes, which can be resized and stored."""

from typing import Any, NamedTuple

from PIL import Image
from PIL.PngImagePlugin import PngImageFile

BITS, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339
WHITE_IS_ZERO, UNSIGNED = 0, 1
"""Values of the TIFF tags PHOTOMETRIC and SAMPLE_FORMAT."""

SRGB_GAMMA = 1 / 2.2
GAMMA_TOLERANCE = 0.05
"""Most PNGs with a gamma have 0.45455, which means sRGB."""


class Levels(NamedTuple):
    """The values of black and white in grayscale of more than 8 bits. In a negative, black is larger.

    Attributes:
        wraps: the values are unsigned 32-bit integers; Pillow reads those from 2^31 up as negative.
    """

    black: float
    white: float
    wraps: bool = False


def to_rgb(image: Image.Image, levels: Levels | None = None) -> Image.Image:
    """Convert any mode to 8-bit RGB, on white; returns a copy.

    Args:
        levels: :func:`grey_levels` of the whole image; required if ``image`` is a part of it.
    """
    image = to_eight_bits(image, levels) if is_deep(image) else unmultiply_grey(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def is_deep(image: Image.Image) -> bool:
    """Whether this is grayscale of more than 8 bits (modes I, I;16 and F)."""
    return image.mode.startswith(("I", "F"))


def grey_levels(image: Image.Image) -> Levels:
    """Black and white in grayscale of more than 8 bits: the full range for 12 and 16 bits, and for unsigned
    32 bits with values from 2^31 up; otherwise the darkest and the brightest pixel.
    """
    tags: Any = getattr(image, "tag_v2", None)  # of a TIFF only
    if image.mode.startswith("I;16"):
        low, high = 0.0, 4_095.0 if tags and tags.get(BITS) == (12,) else 65_535.0
    else:
        low, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]
        if tags and image.mode == "I" and low < 0 and tags.get(SAMPLE_FORMAT, (UNSIGNED,))[0] == UNSIGNED:
            return Levels(0.0, 2.0**32 - 1, wraps=True)
    if tags and tags.get(PHOTOMETRIC, WHITE_IS_ZERO) == WHITE_IS_ZERO:
        return Levels(high, low)
    return Levels(low, high)


def to_eight_bits(image: Image.Image, levels: Levels | None = None) -> Image.Image:
    """Convert grayscale of more than 8 bits to mode L, or to LA if one shade means transparent.

    Args:
        levels: as for :func:`to_rgb`.
    """
    black, white, wraps = levels or grey_levels(image)
    if wraps:
        grey = _upper_bits(image)
    else:
        scale = 255.0 / ((white - black) or 1.0)
        grey = image.convert("F").point(lambda value: value * scale + -black * scale).convert("L")
    key = grey.info.pop("transparency", None)
    if isinstance(key, int) and 0 <= key < 65_536:
        alpha = [255] * 65_536
        alpha[key] = 0
        grey.putalpha(image.convert("I").point(alpha, "L"))
    return grey


def _upper_bits(image: Image.Image) -> Image.Image:
    """The upper 8 bits of unsigned 32-bit values, which Pillow reads as signed."""
    # Pillow's lookup tables accept 16 bits. Adding half their range makes the upper 16 bits non-negative.
    moved = image.point(lambda value: value * (1 / 65_536) + 32_768.0)
    return moved.point([(value ^ 32_768) >> 8 for value in range(65_536)], "L")


def shorten_transparent_colour(image: Image.Image) -> None:
    """Cut the transparent color of a 16-bit RGB PNG to 8 bits: Pillow cuts only the pixels. Call this before
    the image is loaded.
    """
    key = image.info.get("transparency")
    if not isinstance(key, tuple) or not isinstance(image, PngImageFile):
        return
    if image.tile and image.tile[0].args == "RGB;16B":
        image.info["transparency"] = tuple(part >> 8 for part in key)


def unmultiply_grey(image: Image.Image) -> Image.Image:
    """The same image, with premultiplied grayscale (mode La) as LA, the only mode Pillow converts it to."""
    return image.convert("LA") if image.mode == "La" else image


def gamma_to_srgb(info: dict[Any, Any]) -> list[int] | None:
    """A lookup table from 256 shades to sRGB, for a PNG with a gamma instead of an ICC profile.

    Args:
        info: ``Image.info`` of the image.

    Returns:
        None without a gamma, or if the PNG is in sRGB.
    """
    gamma = info.get("gamma")
    if not isinstance(gamma, float) or not gamma or "srgb" in info:
        return None
    if abs(gamma / SRGB_GAMMA - 1) <= GAMMA_TOLERANCE:
        return None
    return [round(255 * _encode_srgb((shade / 255) ** (1 / gamma))) for shade in range(256)]


def _encode_srgb(light: float) -> float:
    """Linear light to sRGB (IEC 61966-2-1); both from 0 to 1."""
    return light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
