"""Modes that must be converted: grey with more than 8 bits, PNGs with gamma, transparency, palettes."""

import struct
import zlib
from typing import Any

import pytest
from imageapi.model.variant_formats import MIME_TYPES
from imageapi.pictures import resize
from PIL import Image, ImageCms, PngImagePlugin

from tests.support import pictures
from tests.support.pngs import png_chunk
from tests.support.tiffs import tiff
from tests.unit.pictures.test_inspect import inspect_bytes, open_placeholder, refusal
from tests.unit.pictures.test_render import assert_alike, corners, render_to

SIZES = [(64, 48), (640, 480)]
"""Shown at full size, and reduced in bands."""
UNSIGNED, SIGNED, FLOAT = 1, 2, 3


def ramp(size: tuple[int, int], format: str, first: float, last: float) -> bytes:
    """Numbers that increase from left to right, in a ``struct`` format."""
    width, height = size
    steps = [first + (last - first) * x / (width - 1) for x in range(width)]
    numbers: list[float] = steps if "f" in format else [int(step) for step in steps]
    return b"".join(struct.pack(format, number) for number in numbers) * height


def shades(image: Image.Image) -> list[int]:
    """The grey levels at the left, middle and right."""
    grey = image.convert("L")
    return [grey.tobytes()[x + grey.width * (grey.height // 2)] for x in (0, grey.width // 2, grey.width - 1)]


def assert_shades(data: bytes, expected: tuple[int, int, int]) -> None:
    """Check the shades in a variant and, less exactly, in the placeholder."""
    for image, tolerance in ((render_to(data, "jpg"), 5), (open_placeholder(inspect_bytes(data)), 18)):
        found = shades(image)
        assert all(abs(a - b) <= tolerance for a, b in zip(found, expected, strict=True)), found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("format", "last", "tags"),
    [
        ("<B", 255, {"bits": 8}),
        ("<H", 65_535, {"bits": 16}),
        ("<f", 1.0, {"bits": 32, "sample_format": FLOAT}),
    ],
)
def test_zero_may_be_white(format: str, last: float, tags: dict[str, Any], size: tuple[int, int]) -> None:
    pixels = ramp(size, format, 0, last)

    assert_shades(tiff(*size, pixels, photometric=0, **tags), (255, 128, 0))
    assert_shades(tiff(*size, pixels, photometric=1, **tags), (0, 128, 255))


def test_12_bits() -> None:
    numbers = [x * 4_095 // 63 for x in range(64)]
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    pixels = b"".join((one << 12 | other).to_bytes(3, "big") for one, other in pairs) * 48

    assert_shades(tiff(64, 48, pixels, bits=12), (0, 128, 255))


@pytest.mark.parametrize("value", [0, 65_535])
def test_one_shade_is_black_or_white(value: int) -> None:
    pixels = struct.pack("<H", value) * 64 * 48

    assert_shades(tiff(64, 48, pixels, bits=16, photometric=0), (255 - value // 257,) * 3)


@pytest.mark.parametrize("size", SIZES)
def test_32_unsigned_bits(size: tuple[int, int]) -> None:
    def unsigned(first: int, last: int) -> bytes:
        return tiff(*size, ramp(size, "<I", first, last), bits=32, sample_format=UNSIGNED)

    assert_shades(unsigned(0, 2**32 - 1), (0, 128, 255))
    assert_shades(unsigned(2**31, 2**32 - 1), (128, 192, 255))
    assert_shades(unsigned(0, 1000), (0, 128, 255))


@pytest.mark.parametrize("size", SIZES)
def test_32_signed_bits(size: tuple[int, int]) -> None:
    pixels = ramp(size, "<i", -(2**31), 2**31 - 1)

    assert_shades(tiff(*size, pixels, bits=32, sample_format=SIGNED), (0, 128, 255))


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("size", SIZES)
def test_a_transparent_shade_of_16_bits(size: tuple[int, int], extension: str) -> None:
    half = size[0] // 2
    row = struct.pack("<H", 20_000) * half + struct.pack("<H", 20_001) * half
    image = Image.frombytes("I;16", size, row * size[1])
    data = pictures.encode(image, "PNG", transparency=20_000)

    rendered = render_to(data, extension)

    left, right = (rendered.convert("RGBA").getpixel((x, 20)) for x in (4, rendered.width - 4))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert left[3] == (255 if extension == "jpg" else 0)
    assert right[3] == 255
    assert abs(right[0] - 20_000 // 257) <= 4
    if extension == "jpg":
        assert min(left) >= 252
    placeholder = open_placeholder(inspect_bytes(data))
    assert shades(placeholder)[0] >= 240
    assert abs(shades(placeholder)[2] - 20_000 // 257) <= 12


def test_a_transparent_colour_of_16_bits() -> None:
    """Another colour with the same lower 8 bits is not transparent."""
    key, other = struct.pack(">3H", 0x1234, 0x5678, 0x9ABC), struct.pack(">3H", 0x3434, 0x7878, 0xBCBC)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", 64, 48, 16, 2, 0, 0, 0)),
        (b"tRNS", key),
        (b"IDAT", zlib.compress((b"\0" + key * 32 + other * 32) * 48)),
        (b"IEND", b""),
    )
    data = b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)

    alpha = render_to(data, "webp").convert("RGBA").getchannel("A")

    assert (alpha.getpixel((8, 24)), alpha.getpixel((56, 24))) == (0, 255)
    left, _, right = shades(open_placeholder(inspect_bytes(data)))
    assert left > 240 > 140 > right
    without_pixels = data[: data.index(b"IDAT") - 4] + png_chunk(*chunks[-1])
    assert refusal(without_pixels) == (422, "image_corrupt")


def png_with(*chunks: tuple[bytes, bytes], colour: Any = (128, 64, 200), **options: Any) -> bytes:
    info = PngImagePlugin.PngInfo()
    for name, content in chunks:
        info.add(name, content)
    mode = "L" if isinstance(colour, int) else ("RGB", "RGBA")[len(colour) - 3]
    return pictures.encode(Image.new(mode, (32, 32), colour), "PNG", pnginfo=info, **options)


def gamma(value: int) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", value)


def pixel_of(data: bytes, extension: str = "webp") -> tuple[int, ...]:
    pixel = render_to(data, extension).getpixel((16, 16))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (100_000, (188, 137, 229)),  # linear light: IEC 61966-2-1 of 128, 64 and 200 / 255
        (55_556, (148, 86, 210)),  # 1 / 1.8, as on an old Macintosh
        (45_455, (128, 64, 200)),  # taken for sRGB
        (0, (128, 64, 200)),  # nonsense
    ],
)
@pytest.mark.parametrize("extension", MIME_TYPES)
def test_the_gamma_of_a_png(value: int, expected: tuple[int, ...], extension: str) -> None:
    found = pixel_of(png_with(gamma(value)), extension)

    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= 5, found


def test_the_gamma_of_grey_and_of_transparent_pixels() -> None:
    assert abs(pixel_of(png_with(gamma(100_000), colour=128))[0] - 188) <= 3
    found = pixel_of(png_with(gamma(100_000), colour=(128, 64, 200, 128)))
    assert max(abs(a - b) for a, b in zip(found, (188, 137, 229, 128), strict=True)) <= 5, found


def test_a_png_in_srgb_or_with_a_profile_has_no_other_gamma() -> None:
    plain = pixel_of(png_with())
    assert pixel_of(png_with(gamma(100_000), (b"sRGB", b"\0"))) == plain
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = pixel_of(png_with(gamma(100_000), icc_profile=profile))
    assert max(abs(a - b) for a, b in zip(found, plain, strict=True)) <= 2


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
