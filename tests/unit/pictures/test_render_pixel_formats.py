"""Pictures in modes that must be converted before resizing."""

import struct
from typing import Any

import pytest
from imageapi.model.variant_formats import MIME_TYPES
from imageapi.pictures import resize
from PIL import Image

from tests.support import pictures
from tests.support.tiffs import tiff
from tests.unit.pictures.test_inspect import inspect_bytes, open_placeholder
from tests.unit.pictures.test_render import assert_alike, corners, render_to

GREY_ON_WHITE = (120 * 200 + 255 * 55) // 255


def grey_with_associated_alpha(width: int = 64, height: int = 48) -> bytes:
    """Grey 120 with a premultiplied alpha of 200, which Pillow can read but not write."""
    data = bytearray(pictures.encode(Image.new("LA", (width, height), (94, 200)), "TIFF"))
    extra_samples = data.index(struct.pack("<HHI", 338, 3, 1))
    data[extra_samples + 8] = 1  # associated alpha
    return bytes(data)


def test_the_placeholder_of_grey_with_associated_alpha() -> None:
    picture = inspect_bytes(grey_with_associated_alpha())
    pixel = open_placeholder(picture).getpixel((8, 6))
    assert isinstance(pixel, tuple)
    assert all(abs(part - GREY_ON_WHITE) <= 8 for part in pixel)


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("size", [(64, 48), (1_000, 800)])
def test_grey_with_associated_alpha(size: tuple[int, int], extension: str) -> None:
    rendered = render_to(grey_with_associated_alpha(*size), extension)

    assert_alike(corners(rendered), [(GREY_ON_WHITE,) * 3] * 4)


TO_CONVERT: dict[str, bytes] = {
    "16 bits": pictures.encode(
        pictures.quadrants(900, 700, "L").convert("I").point(lambda value: value * 257).convert("I;16"), "PNG"
    ),
    "16 bits, one shade is transparent": pictures.encode(
        pictures.quadrants(900, 700, "L").convert("I").convert("I;16"), "PNG", transparency=250
    ),
    "16 bits, zero is white": tiff(900, 700, bytes(range(252)) * 5_000, bits=16, photometric=0),
    "32 unsigned bits": tiff(900, 700, bytes(range(252)) * 10_000, bits=32),
    "32 bits": pictures.encode(pictures.quadrants(900, 700, "L").convert("I"), "TIFF"),
    "one colour is transparent": pictures.png(900, 700, transparency=pictures.GREEN),
    "palette": pictures.encode(pictures.quadrants(900, 700).quantize(4), "PNG", transparency=0),
    "alpha": pictures.png(900, 700, mode="RGBA"),
    "grey and alpha": pictures.png(900, 700, mode="LA"),
    "grey and associated alpha": grey_with_associated_alpha(900, 700),
}


@pytest.mark.parametrize("cover", [False, True])
@pytest.mark.parametrize("width", [64, 320, 640])
@pytest.mark.parametrize("name", TO_CONVERT)
def test_a_picture_is_converted_in_parts(
    name: str, width: int, cover: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the largest pictures, there is not enough memory for a full copy in another mode."""
    parts = []
    convert = resize.make_resizable

    def note_and_convert(image: Image.Image, *others: Any) -> Image.Image:
        parts.append(image.width * image.height)
        return convert(image, *others)

    whole = render_to(TO_CONVERT[name], "webp", width, cover=cover)
    monkeypatch.setattr(resize, "BAND_PIXELS", 20_000)
    monkeypatch.setattr(resize, "make_resizable", note_and_convert)
    banded = render_to(TO_CONVERT[name], "webp", width, cover=cover)

    assert max(parts) <= 20_000
    assert (banded.mode, banded.size) == (whole.mode, whole.size)
    assert banded.tobytes() == whole.tobytes()


def test_what_is_beside_the_part_that_is_shown_is_not_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = []
    convert = resize.make_resizable

    def note_and_convert(image: Image.Image, *others: Any) -> Image.Image:
        parts.append(image.size)
        return convert(image, *others)

    monkeypatch.setattr(resize, "make_resizable", note_and_convert)
    render_to(pictures.png(5_000, 700, mode="RGBA"), "webp", 640, cover=True)

    assert parts == [(706, 700)]
