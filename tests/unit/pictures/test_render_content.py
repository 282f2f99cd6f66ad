"""The content of a variant: colours per the profile, the original frames, and no metadata."""

import io
import struct
from typing import Any

import pytest
from imageapi.model.variant_formats import MIME_TYPES
from imageapi.model.variant_names import Variant
from imageapi.pictures import frames
from imageapi.pictures.render import render
from PIL import Image, ImageCms, PngImagePlugin

from tests.support import pictures

SECRET = b"taken at home, 35.65861 139.74556"
DURATIONS = [50, 70, 90]
# The primaries of Adobe RGB (1998) and sRGB, adapted to D50 as in their profiles.
ADOBE_RGB = {
    b"rXYZ": (0.60974, 0.31111, 0.01947),
    b"gXYZ": (0.20528, 0.62567, 0.06087),
    b"bXYZ": (0.14919, 0.06322, 0.74457),
}
SRGB = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.71410),
}


def make_profile(primaries: dict[bytes, tuple[float, float, float]]) -> bytes:
    """An RGB profile with these primaries and sRGB's curve, made by patching sRGB's profile."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack_from(">I", profile, 128)
    for entry in range(132, 132 + count * 12, 12):
        tag, start, _ = struct.unpack_from(">4sII", profile, entry)
        if tag in primaries:
            struct.pack_into(">3i", profile, start + 8, *(round(part * 65_536) for part in primaries[tag]))
    return bytes(profile)


def render_bytes(data: bytes, extension: str, *, width: int = 160) -> bytes:
    return render(io.BytesIO(data), Variant(width, False, extension), pictures.MAX_PIXELS)


def render_image(data: bytes, extension: str) -> Image.Image:
    return Image.open(io.BytesIO(render_bytes(data, extension)))


def to_linear(value: float) -> float:
    """sRGB's curve, https://www.w3.org/TR/css-color-4/#color-conversion-code."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def from_linear(value: float) -> float:
    return value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def convert(colour: tuple[int, int, int]) -> tuple[int, ...]:
    """Convert a colour from Adobe RGB (with sRGB's curve) to sRGB, by arithmetic."""
    linear = [to_linear(part / 255) for part in colour]
    xyz = [
        sum(p[axis] * value for p, value in zip(ADOBE_RGB.values(), linear, strict=True)) for axis in range(3)
    ]
    matrix = [[primary[axis] for primary in SRGB.values()] for axis in range(3)]
    return tuple(round(255 * from_linear(part)) for part in solve(matrix, xyz))


def solve(matrix: list[list[float]], vector: list[float]) -> list[float]:
    """Cramer's rule."""

    def determinant(m: list[list[float]]) -> float:
        (a, b, c), (d, e, f), (g, h, i) = m
        return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)

    columns = range(3)
    replaced = [
        [[vector[row] if c == column else matrix[row][c] for c in columns] for row in columns]
        for column in columns
    ]
    return [determinant(m) / determinant(matrix) for m in replaced]


def assert_colour(image: Image.Image, expected: tuple[int, ...], tolerance: int) -> None:
    found = image.convert("RGB").getpixel((20, 20))
    assert isinstance(found, tuple)
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= tolerance, (found, expected)


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_a_colour_profile_is_honoured(format: str, extension: str) -> None:
    colour = (120, 170, 90)
    expected = convert(colour)
    assert max(abs(a - b) for a, b in zip(colour, expected, strict=True)) > 20
    options: dict[str, Any] = {"lossless": True} if format == "WEBP" else {"quality": 95}
    data = pictures.encode(
        Image.new("RGB", (200, 150), colour), format, icc_profile=make_profile(ADOBE_RGB), **options
    )

    assert_colour(render_image(data, extension), expected, 6)


def test_a_picture_in_srgb_stays_as_it_is() -> None:
    data = pictures.encode(
        Image.new("RGB", (200, 150), (120, 170, 90)), "PNG", icc_profile=make_profile(SRGB)
    )

    assert_colour(render_image(data, "jpg"), (120, 170, 90), 3)


@pytest.mark.parametrize("mode", ["P", "RGBA", "LA", "L"])
def test_a_profile_of_a_picture_in_another_mode(mode: str) -> None:
    grey = mode.startswith("L")
    colour = (100, 100, 100) if grey else (120, 170, 90)
    image = Image.new("RGB", (200, 150), colour)
    image = image.quantize(2) if mode == "P" else image.convert(mode)
    data = pictures.encode(image, "PNG", icc_profile=make_profile(ADOBE_RGB))

    # An RGB profile does not apply to a grey picture.
    assert_colour(render_image(data, "webp"), colour if grey else convert(colour), 8)


@pytest.mark.parametrize("profile", [b"nonsense", make_profile(SRGB)[:200], b"\0" * 4000])
def test_a_broken_profile_is_as_none(profile: bytes) -> None:
    data = pictures.encode(Image.new("RGB", (200, 150), (120, 170, 90)), "PNG", icc_profile=profile)

    assert_colour(render_image(data, "jpg"), (120, 170, 90), 3)


@pytest.mark.parametrize("profile", [None, make_profile(SRGB)], ids=["none", "one for RGB"])
def test_cmyk_is_shown_in_its_colours(profile: bytes | None) -> None:
    image = Image.new("RGB", (200, 150), (120, 170, 90)).convert("CMYK")
    data = pictures.encode(image, "JPEG", quality=95, icc_profile=profile)

    rendered = render_image(data, "jpg")

    assert rendered.mode == "RGB"
    assert_colour(rendered, (120, 170, 90), 8)


def full_of_metadata() -> dict[str, bytes]:
    """Files that say where they were taken, in every metadata field of their formats."""
    exif = pictures.make_exif(6, {0x010E: SECRET.decode()}, {0x9286: SECRET}, gps=True)
    everywhere: dict[str, Any] = {"exif": exif, "icc_profile": make_profile(ADOBE_RGB)}
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", xmp.decode())
    still = pictures.quadrants(400, 300)
    return {
        "jpeg": pictures.encode(still, "JPEG", comment=SECRET, xmp=xmp, **everywhere),
        "png": pictures.encode(still, "PNG", pnginfo=text, **everywhere),
        "webp": pictures.encode(still, "WEBP", xmp=xmp, **everywhere),
        "avif": pictures.encode(still, "AVIF", xmp=xmp, **everywhere),
        "tiff": pictures.encode(still, "TIFF", description=SECRET.decode(), **everywhere),
        "gif": pictures.encode(still, "GIF", comment=SECRET),
        "gif_animated": pictures.animation("GIF", comment=SECRET),
        "png_animated": pictures.animation("PNG", pnginfo=text, **everywhere),
        "webp_animated": pictures.animation("WEBP", xmp=xmp, **everywhere),
        "avif_animated": pictures.animation("AVIF", xmp=xmp, speed=10, **everywhere),
    }


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("name", full_of_metadata())
def test_no_metadata_is_in_a_variant(name: str, extension: str) -> None:
    source = full_of_metadata()[name]
    # Text in a PNG may be compressed: it suffices that a reader finds it.
    assert SECRET in source or SECRET.decode() in str(Image.open(io.BytesIO(source)).info)

    data = render_bytes(source, extension)

    image = Image.open(io.BytesIO(data))
    image.load()
    assert not dict(image.getexif())
    assert not {"exif", "xmp", "icc_profile", "comment", "photoshop", "Comment"} & set(image.info)
    assert not [
        mark for mark in (SECRET, b"Exif", b"EXIF", b"xmpmeta", b"ICCP", b"ICC_PROFILE") if mark in data
    ]


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_an_animation_stays_one_in_webp(format: str) -> None:
    data = pictures.animation(format, 3, 320, 240, duration=DURATIONS, loop=0)

    image = render_image(data, "webp")

    assert (image.size, getattr(image, "n_frames", 1), image.info["loop"]) == ((160, 120), 3, 0)
    assert read_durations(image) == DURATIONS
    for number, expected in ((0, pictures.RED), (1, (40, 1, 90)), (2, (80, 2, 90))):
        image.seek(number)
        assert_colour(image, expected, 12)


@pytest.mark.parametrize(("format", "loop"), [("GIF", 1), ("WEBP", 2), ("PNG", 2)])
def test_an_animation_that_plays_twice_plays_twice(format: str, loop: int) -> None:
    """A GIF stores the number of repeats, the others the number of plays."""
    data = pictures.animation(format, duration=DURATIONS, loop=loop)

    assert render_image(data, "webp").info["loop"] == 2


@pytest.mark.parametrize(("format", "loop"), [("GIF", 65_535), ("PNG", 100_000)])
def test_an_animation_that_plays_more_often_than_webp_can_say_plays_for_ever(format: str, loop: int) -> None:
    data = pictures.animation(format, duration=DURATIONS, loop=loop)

    assert render_image(data, "webp").info["loop"] == 0


def test_an_animation_is_upright_and_in_srgb() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    swapped = {b"rXYZ": SRGB[b"gXYZ"], b"gXYZ": SRGB[b"rXYZ"]}
    frames = [Image.new("RGB", (60, 40), colour) for colour in ((255, 0, 0), (250, 0, 0))]
    data = pictures.encode(
        frames[0],
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        exif=exif,
        icc_profile=make_profile(swapped),
        lossless=True,
    )

    image = render_image(data, "webp")

    assert (image.size, getattr(image, "n_frames", 1)) == ((40, 60), 2)
    assert_colour(image, (0, 255, 0), 12)


def test_a_gif_that_plays_once_plays_once() -> None:
    data = pictures.animation("GIF", duration=DURATIONS)
    assert "loop" not in Image.open(io.BytesIO(data)).info

    assert render_image(data, "webp").info["loop"] == 1


@pytest.mark.parametrize("extension", ["jpg", "avif"])
def test_an_animation_is_its_first_frame_in_other_formats(extension: str) -> None:
    image = render_image(pictures.animation("GIF", duration=DURATIONS), extension)

    assert getattr(image, "n_frames", 1) == 1
    assert_colour(image, pictures.RED, 14)


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_ANIMATED_FRAMES", 2), ("MAX_ANIMATED_PIXELS", 3 * 64 * 48 - 1)]
)
def test_an_animation_over_the_bounds_is_its_first_frame(
    limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pictures.animation("GIF", duration=DURATIONS)
    assert getattr(render_image(data, "webp"), "n_frames", 1) == 3
    monkeypatch.setattr(frames, limit, value)

    image = render_image(data, "webp")

    assert getattr(image, "n_frames", 1) == 1
    assert_colour(image, pictures.RED, 14)


def test_an_animation_keeps_its_transparency() -> None:
    frames = [Image.new("RGBA", (64, 48), colour) for colour in (pictures.RED, pictures.BLUE)]
    for frame in frames:
        frame.paste((0, 0, 0, 0), (24, 16, 40, 32))
    data = pictures.encode(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=80)

    image = render_image(data, "webp")

    for number in range(2):
        image.seek(number)
        alpha = image.convert("RGBA").getchannel("A")
        assert (alpha.getpixel((8, 24)), alpha.getpixel((32, 24))) == (255, 0)


def test_pages_are_no_animation() -> None:
    image = render_image(pictures.animation("TIFF"), "webp")

    assert getattr(image, "n_frames", 1) == 1
    assert_colour(image, pictures.RED, 14)


def read_durations(image: Image.Image) -> list[int]:
    durations = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()
        durations.append(image.info["duration"])
    return durations
