"""Calls of the layer for one picture, and comparisons of their results."""

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from imageapi.errors import AppError
from imageapi.model.picture import Picture
from imageapi.model.variant_names import Variant
from imageapi.pictures import inspect as inspecting
from imageapi.pictures import render as rendering
from PIL import Image, ImageCms

from tests.support import pictures

FORMATS = {"jpg": "JPEG", "webp": "WEBP", "avif": "AVIF"}
CORNERS = [pictures.RED, pictures.GREEN, pictures.BLUE, pictures.WHITE]

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ROTATED = SRGB
for _tag, _new in ((b"rXYZ", b"????"), (b"gXYZ", b"rXYZ"), (b"bXYZ", b"gXYZ"), (b"????", b"bXYZ")):
    ROTATED = ROTATED.replace(_tag, _new)
"""A profile in which red is green, green is blue, and blue is red."""


def inspect(data: bytes, max_pixels: int = pictures.MAX_PIXELS) -> Picture:
    return inspecting.inspect(io.BytesIO(data), max_pixels)


def render(data: bytes, extension: str = "webp", width: int = 160, *, cover: bool = False) -> Image.Image:
    """The variant, decoded."""
    rendered = rendering.render(io.BytesIO(data), Variant(width, cover, extension), pictures.MAX_PIXELS)
    image = Image.open(io.BytesIO(rendered))
    assert image.format == FORMATS[extension]
    image.load()
    return image


def refusal(use: Callable[..., object], *arguments: Any) -> tuple[int, str]:
    with pytest.raises(AppError) as caught:
        use(*arguments)
    return caught.value.status, caught.value.code


def open_placeholder(picture: Picture) -> Image.Image:
    head, _, text = picture.placeholder.partition(",")
    assert head == "data:image/webp;base64"
    image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
    image.load()
    return image


def count_frames(image: Image.Image) -> int:
    return getattr(image, "n_frames", 1)


def read_durations(image: Image.Image) -> list[int]:
    durations = []
    for number in range(count_frames(image)):
        image.seek(number)
        image.load()
        durations.append(image.info["duration"])
    return durations


def corners(image: Image.Image) -> list[Any]:
    """The colors near the four corners of the displayed picture, on white."""
    rgba = image.convert("RGBA")
    seen = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    right, bottom = seen.width - 4, seen.height - 4
    return [seen.getpixel(place) for place in ((3, 3), (right, 3), (3, bottom), (right, bottom))]


def assert_alike(found: Sequence[Any], expected: Sequence[Any], tolerance: int = 14) -> None:
    for one, other in zip(found, expected, strict=True):
        assert max(abs(a - b) for a, b in zip(one, other, strict=True)) <= tolerance, (found, expected)


def assert_colour(image: Image.Image, expected: Sequence[int], tolerance: int = 14) -> None:
    """Compare the color near the upper left corner with one of three or four channels."""
    found = image.convert("RGBA" if len(expected) == 4 else "RGB").getpixel((16, 16))
    assert_alike([found], [expected], tolerance)


def alpha_at(image: Image.Image, *places: tuple[int, int], frame: int = 0) -> list[Any]:
    image.seek(frame)
    alpha = image.convert("RGBA").getchannel("A")
    return [alpha.getpixel(place) for place in places]
