"""Modes that must be converted: gray with more than 8 bits, PNGs with gamma, transparency, palettes."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from imageapi.model.variant_formats import MIME_TYPES
from imageapi.pictures import resize
from PIL import Image, PngImagePlugin

from tests.support import pictures
from tests.support.pngs import assemble_png, png_chunk
from tests.support.tiffs import tiff
from tests.unit.pictures import looks
from tests.unit.pictures.looks import assert_alike, assert_colour, corners, inspect, open_placeholder, render

SIZES = [(64, 48), (640, 480)]
"""Shown at full size, and reduced in bands."""
RISING, FALLING, WHITE, BLACK = (0, 128, 255), (255, 128, 0), (255, 255, 255), (0, 0, 0)
NEGATIVE = {"photometric": 0}
"""Zero is white."""
UNSIGNED, SIGNED, FLOAT = ({"bits": 32, "sample_format": kind} for kind in (1, 2, 3))


def ramp(size: tuple[int, int], format: str, first: float, last: float) -> bytes:
    """Numbers that increase from left to right, in a ``struct`` format."""
    width, height = size
    steps = [first + (last - first) * x / (width - 1) for x in range(width)]
    numbers: list[float] = steps if "f" in format else [int(step) for step in steps]
    return b"".join(struct.pack(format, number) for number in numbers) * height


def shades(image: Image.Image) -> list[int]:
    """The gray levels at the left, middle and right."""
    grey = image.convert("L")
    return [grey.tobytes()[x + grey.width * (grey.height // 2)] for x in (0, grey.width // 2, grey.width - 1)]


def assert_shades(data: bytes, expected: Sequence[int]) -> None:
    """Check the shades in a variant and, less exactly, in the placeholder."""
    assert_alike([shades(render(data, "jpg"))], [expected], 5)
    assert_alike([shades(open_placeholder(inspect(data)))], [expected], 18)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("format", "first", "last", "tags", "expected"),
    [
        *(("<B", 0, 255, {}, RISING), ("<B", 0, 255, NEGATIVE, FALLING)),
        *(("<H", 0, 65_535, {"bits": 16}, RISING), ("<H", 0, 65_535, {"bits": 16, **NEGATIVE}, FALLING)),
        ("<H", 0, 0, {"bits": 16, **NEGATIVE}, WHITE),
        ("<H", 65_535, 65_535, {"bits": 16, **NEGATIVE}, BLACK),
        *(("<f", 0, 1.0, FLOAT, RISING), ("<f", 0, 1.0, FLOAT | NEGATIVE, FALLING)),
        *(("<I", 0, 2**32 - 1, UNSIGNED, RISING), ("<I", 2**31, 2**32 - 1, UNSIGNED, (128, 192, 255))),
        *(("<I", 0, 1000, UNSIGNED, RISING), ("<i", -(2**31), 2**31 - 1, SIGNED, RISING)),
    ],
)
def test_shades_of_grey(
    format: str, first: int, last: float, tags: Any, expected: Sequence[int], size: tuple[int, int]
) -> None:
    assert_shades(tiff(*size, ramp(size, format, first, last), **tags), expected)


def test_12_bits() -> None:
    numbers = [x * 4_095 // 63 for x in range(64)]
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    pixels = b"".join((one << 12 | other).to_bytes(3, "big") for one, other in pairs) * 48

    assert_shades(tiff(64, 48, pixels, bits=12), RISING)


def halves(mode: str, left: Any, right: Any, size: tuple[int, int] = SIZES[0]) -> bytes:
    """The left half is transparent."""
    image = Image.new(mode, size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    image = image.convert("I;16") if mode == "I" else image
    return pictures.encode(image, "PNG", **({"transparency": left} if mode != "RGBA" else {}))


KEY, OTHER = struct.pack(">3H", 0x1234, 0x5678, 0x9ABC), struct.pack(">3H", 0x3434, 0x7878, 0xBCBC)
DEEP_ROWS = zlib.compress((b"\0" + KEY * 32 + OTHER * 32) * 48)
DEEP_COLOURS = assemble_png(64, 48, 16, 2, DEEP_ROWS, (b"tRNS", KEY))
"""The colors have the same lower 8 bits."""
TRANSPARENT: dict[str, tuple[bytes, Sequence[int]]] = {
    "alpha": (halves("RGBA", (0, 0, 0, 0), (*pictures.BLUE, 255)), pictures.BLUE),
    "one colour": (halves("RGB", (255, 0, 0), pictures.BLUE), pictures.BLUE),
    "one shade": (halves("L", 255, 0), BLACK),
    **{f"one shade of 16 bits, {n}": (halves("I", 20_000, 20_001, SIZES[n]), (78,) * 3) for n in (0, 1)},
    "one colour of 16 bits": (DEEP_COLOURS, (0x34, 0x78, 0xBC)),
}


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("name", TRANSPARENT)
def test_what_is_transparent_stays_so(name: str, extension: str) -> None:
    data, colour = TRANSPARENT[name]
    rendered = render(data, extension)

    assert looks.alpha_at(rendered, (4, 20), (rendered.width - 4, 20)) == [
        255 if extension == "jpg" else 0,
        255,
    ]
    assert_alike(corners(rendered), [WHITE, colour] * 2, 12)
    assert_alike(corners(open_placeholder(inspect(data))), [WHITE, colour] * 2, 30)


def test_a_transparent_colour_without_pixels() -> None:
    data = DEEP_COLOURS[: DEEP_COLOURS.index(b"IDAT") - 4] + png_chunk(b"IEND", b"")
    assert looks.refusal(inspect, data) == (422, "image_corrupt")


COLOUR, BRIGHTER = (128, 64, 200), (188, 137, 229)
"""BRIGHTER: the sRGB (IEC 61966-2-1) of COLOUR as linear light."""


def png_with_gamma(value: int, *others: tuple[bytes, bytes], colour: Any = COLOUR, **options: Any) -> bytes:
    info = PngImagePlugin.PngInfo()
    for name, content in ((b"gAMA", struct.pack(">I", value)), *others):
        info.add(name, content)
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[len(colour)]
    return pictures.encode(Image.new(mode, (32, 32), colour), "PNG", pnginfo=info, **options)


@pytest.mark.parametrize(
    ("value", "colour", "expected"),
    [
        (100_000, COLOUR, BRIGHTER),
        (100_000, (128,), (188, 188, 188)),
        (100_000, (*COLOUR, 128), (*BRIGHTER, 128)),
        (55_556, COLOUR, (148, 86, 210)),  # 1 / 1.8, as on an old Macintosh
        (45_455, COLOUR, COLOUR),  # treated as sRGB
        (0, COLOUR, COLOUR),  # nonsense
    ],
)
def test_the_gamma_of_a_png(value: int, colour: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert_colour(render(png_with_gamma(value, colour=colour)), expected, 5)


def test_a_png_in_srgb_or_with_a_profile_has_no_other_gamma() -> None:
    assert_colour(render(png_with_gamma(100_000, (b"sRGB", b"\0"))), COLOUR, 5)
    assert_colour(render(png_with_gamma(100_000, icc_profile=looks.SRGB)), COLOUR, 5)


GREY_ON_WHITE = (120 * 200 + 255 * 55) // 255


def grey_with_associated_alpha(width: int = 64, height: int = 48) -> bytes:
    """Gray 120 with a premultiplied alpha of 200, which Pillow can read but not write."""
    data = bytearray(pictures.encode(Image.new("LA", (width, height), (94, 200)), "TIFF"))
    extra_samples = data.index(struct.pack("<HHI", 338, 3, 1))
    data[extra_samples + 8] = 1  # associated alpha
    return bytes(data)


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("size", [(64, 48), (1_000, 800)])
def test_grey_with_associated_alpha(size: tuple[int, int], extension: str) -> None:
    data = grey_with_associated_alpha(*size)

    for image in (render(data, extension), open_placeholder(inspect(data))):
        assert_alike(corners(image), [(GREY_ON_WHITE,) * 3] * 4)


GREY = pictures.quadrants(900, 700, "L").convert("I")
TO_CONVERT: dict[str, bytes] = {
    "16 bits": pictures.encode(GREY.point(lambda value: value * 257).convert("I;16"), "PNG"),
    "16 bits, one shade is transparent": pictures.encode(GREY.convert("I;16"), "PNG", transparency=250),
    "16 bits, zero is white": tiff(900, 700, bytes(range(252)) * 5_000, bits=16, photometric=0),
    "32 unsigned bits": tiff(900, 700, bytes(range(252)) * 10_000, bits=32),
    "32 bits": pictures.encode(GREY, "TIFF"),
    "one colour is transparent": pictures.png(900, 700, transparency=pictures.GREEN),
    "palette": pictures.encode(pictures.quadrants(900, 700).quantize(4), "PNG", transparency=0),
    "alpha": pictures.png(900, 700, mode="RGBA"),
    "grey and alpha": pictures.png(900, 700, mode="LA"),
    "grey and associated alpha": grey_with_associated_alpha(900, 700),
}


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes of all that is converted."""
    noted = []
    convert = resize.make_resizable

    def note_and_convert(image: Image.Image, *others: Any) -> Image.Image:
        noted.append(image.size)
        return convert(image, *others)

    monkeypatch.setattr(resize, "make_resizable", note_and_convert)
    return noted


@pytest.mark.parametrize(("width", "cover"), [(64, False), (320, True), (640, False), (640, True)])
@pytest.mark.parametrize("name", TO_CONVERT)
def test_a_picture_is_converted_in_parts(
    name: str, width: int, cover: bool, parts: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the largest pictures, there is not enough memory for a full copy in another mode."""
    whole = render(TO_CONVERT[name], "webp", width, cover=cover)
    monkeypatch.setattr(resize, "BAND_PIXELS", 20_000)
    parts.clear()
    banded = render(TO_CONVERT[name], "webp", width, cover=cover)

    assert max(width * height for width, height in parts) <= 20_000
    assert (banded.mode, banded.size) == (whole.mode, whole.size)
    assert banded.tobytes() == whole.tobytes()


def test_only_what_is_shown_is_converted_and_of_a_large_jpeg_a_fraction(parts: list[tuple[int, int]]) -> None:
    render(pictures.png(5_000, 700, mode="RGBA"), "webp", 640, cover=True)
    render(pictures.jpeg(2560, 1920), "jpg", 320)
    assert parts == [(706, 700), (320, 240)]
