"""Variants: of the right size, upright, with their colors and frames, and without metadata."""

import io
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from imageapi.model.variant_formats import MIME_TYPES
from imageapi.model.variant_names import MAX_ENCODED_PIXELS, WIDTHS, Variant
from imageapi.pictures import frames
from imageapi.pictures.render import render as render_file
from imageapi.pictures.resize import find_box
from imageapi.pictures.scale_on_load import scale_to_fill
from PIL import Image, PngImagePlugin

from tests.support import pictures, samples
from tests.unit.pictures import looks
from tests.unit.pictures.looks import ROTATED, assert_alike, assert_colour, corners, count_frames, render

BLUE = (0, 0, 255)
# Other tests check the colors of black and white, and of 16 bits.
OTHER_COLOURS = {"png_one_bit", "png_16_bit"}
BIG: dict[str, bytes] = {
    "jpeg": pictures.jpeg(600, 400),
    "jpeg_turned": pictures.jpeg(600, 400, orientation=6),
    "jpeg_progressive": pictures.jpeg(600, 400, progressive=True),
    "jpeg_cmyk": pictures.jpeg(600, 400, mode="CMYK"),
    "png": pictures.png(600, 400),
    "png_palette": pictures.encode(pictures.quadrants(600, 400).quantize(4), "PNG"),
    **{
        name: pictures.encode(pictures.quadrants(600, 400), name)
        for name in ("GIF", "WEBP", "AVIF", "BMP", "TIFF")
    },
}


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("name", samples.ALL_GOOD)
def test_a_small_picture_is_not_enlarged(name: str, extension: str) -> None:
    data = samples.ALL_GOOD[name]()
    expected = corners(pictures.quadrants(mode="L" if name == "jpeg_grey" else "RGB"))
    if name == "png_palette_transparent":
        expected = corners(Image.open(io.BytesIO(data)))

    for cover, size in ((False, (64, 48)), (True, (48, 48))):
        variant = render(data, extension, cover=cover)
        assert variant.size == size
        if name not in OTHER_COLOURS:
            assert_alike(corners(variant), expected)


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("name", BIG)
def test_a_large_picture_gets_the_size_that_was_asked_for(name: str, extension: str) -> None:
    for width, cover, size in (
        (160, False, (160, 107)),
        (320, False, (320, 213)),
        (160, True, (160, 160)),
        (1280, False, (600, 400)),
        (640, True, (400, 400)),
    ):
        image = render(BIG[name], extension, width, cover=cover)
        assert image.size == size
        assert_alike(corners(image), looks.CORNERS)


def test_cover_cuts_the_same_from_both_sides() -> None:
    image = Image.new("RGB", (600, 200), pictures.BLUE)
    image.paste(pictures.RED, (0, 0, 190, 200))
    image.paste(pictures.GREEN, (410, 0, 600, 200))

    for source in (image, image.convert("RGBA").transpose(Image.Transpose.ROTATE_90)):
        square = render(pictures.encode(source, "PNG"), cover=True)
        assert_alike(corners(square), [pictures.BLUE] * 4)


@pytest.mark.parametrize(
    ("size", "expected"), [((20_000, 10), (160, 1)), ((3_000, 1), (160, 1)), ((40, 20_000), (33, 16_383))]
)
def test_all_of_a_very_long_picture_is_shown(size: tuple[int, int], expected: tuple[int, int]) -> None:
    """WebP allows 16,383 pixels a side."""
    image = Image.new("RGB", size, pictures.RED)
    image.paste(BLUE, (0, 0, max(10, size[0] // 4), max(10, size[1] // 4)))
    rendered = render(pictures.encode(image, "PNG"))

    assert rendered.size == expected
    ends = [rendered.getpixel((0, 0)), rendered.getpixel((rendered.width - 1, rendered.height - 1))]
    assert_alike(ends, [BLUE, pictures.RED])


sizes = st.tuples(st.integers(1, 65_535), st.integers(1, 65_535))
variants = st.builds(Variant, st.sampled_from(WIDTHS), st.booleans(), st.just("jpg"))


@given(sizes, variants)
@example((828, 1_792), Variant(320, True, "jpg"))
@example((1_440, 2_960), Variant(640, True, "jpg"))
def test_a_variant_has_no_pixels_beside_or_beyond_its_source(size: tuple[int, int], variant: Variant) -> None:
    width, height = variant.fit(size)

    assert 1 <= width <= min(size[0], variant.width)
    assert 1 <= height <= size[1]
    assert width * height <= 1.01 * MAX_ENCODED_PIXELS
    if variant.cover:
        assert width == height == min(variant.width, *size)
    left, top, right, bottom = find_box(size, (width, height), cut=variant.cover)
    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]


def test_a_variant_of_too_many_pixels_is_made_narrower() -> None:
    for height, expected in ((8_000, (1_920, 8_000)), (32_000, (980, 16_330))):
        assert Variant(1_920, False, "avif").fit((1_920, height)) == expected


@given(sizes, sizes)
def test_what_is_decoded_covers_what_is_wanted(size: tuple[int, int], target: tuple[int, int]) -> None:
    decoded = scale_to_fill(size, target)

    assert decoded[0] >= target[0] or decoded[1] >= target[1]
    # Rounding may take half a pixel.
    assert all(have >= want - 0.5 for have, want in zip(decoded, target, strict=True))


SECRET = b"taken at home, 35.65861 139.74556"
DURATIONS = [50, 70, 90]
COLOUR, ROTATED_COLOUR, GREY = (120, 170, 90), (90, 120, 170), (100, 100, 100)


def plain(mode: str = "RGB", colour: tuple[int, int, int] = COLOUR) -> Image.Image:
    image = Image.new("RGB", (200, 150), colour)
    return image.quantize(2) if mode == "P" else image.convert(mode)


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize(
    ("profile", "format", "mode", "colour", "expected", "tolerance"),
    [
        *(
            (ROTATED, name, "RGB", COLOUR, ROTATED_COLOUR, 6)
            for name in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF")
        ),
        *((ROTATED, "PNG", mode, COLOUR, ROTATED_COLOUR, 8) for mode in ("P", "RGBA")),
        # An RGB profile does not apply to a gray picture.
        *((ROTATED, "PNG", mode, GREY, GREY, 8) for mode in ("LA", "L")),
        # A broken one counts as sRGB.
        *(
            (bad, "PNG", "RGB", COLOUR, COLOUR, 3)
            for bad in (looks.SRGB, b"nonsense", looks.SRGB[:200], b"\0" * 4000)
        ),
    ],
)
def test_a_colour_profile_is_honoured(
    profile: bytes, format: str, mode: str, colour: Any, expected: Any, tolerance: int, extension: str
) -> None:
    options: dict[str, Any] = {"lossless": True} if format == "WEBP" else {"quality": 95}
    data = pictures.encode(plain(mode, colour), format, icc_profile=profile, **options)

    assert_colour(render(data, extension), expected, tolerance)


def full_of_metadata() -> dict[str, bytes]:
    """Files with SECRET in every metadata field of their formats."""
    exif = pictures.make_exif(6, {0x010E: SECRET.decode()}, {0x9286: SECRET}, gps=True)
    everywhere: dict[str, Any] = {"exif": exif, "icc_profile": ROTATED}
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", xmp.decode())
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"comment": SECRET, "xmp": xmp, **everywhere},
        "PNG": {"pnginfo": text, **everywhere},
        "WEBP": {"xmp": xmp, **everywhere},
        "AVIF": {"xmp": xmp, **everywhere, "speed": 10},
        "TIFF": {"description": SECRET.decode(), **everywhere},
        "GIF": {"comment": SECRET},
    }
    still = pictures.quadrants(400, 300)
    found = {name: pictures.encode(still, name, **fields) for name, fields in options.items()}
    for name in ("GIF", "PNG", "WEBP", "AVIF"):
        found[f"{name} animated"] = pictures.animation(name, **options[name])
    return found


FULL_OF_METADATA = full_of_metadata()


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("name", FULL_OF_METADATA)
def test_no_metadata_is_in_a_variant(name: str, extension: str) -> None:
    source = FULL_OF_METADATA[name]
    # Text in a PNG may be compressed: it suffices that a reader finds it.
    assert SECRET in source or SECRET.decode() in str(Image.open(io.BytesIO(source)).info)

    data = render_file(io.BytesIO(source), Variant(160, False, extension), pictures.MAX_PIXELS)

    image = Image.open(io.BytesIO(data))
    image.load()
    assert not dict(image.getexif())
    assert not {"exif", "xmp", "icc_profile", "comment", "photoshop", "Comment"} & set(image.info)
    marks = (SECRET, b"Exif", b"EXIF", b"xmpmeta", b"ICCP", b"ICC_PROFILE")
    assert [mark for mark in marks if mark in data] == []


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_an_animation_stays_one_in_webp(format: str) -> None:
    image = render(pictures.animation(format, 3, 320, 240, duration=DURATIONS, loop=0))

    assert (image.size, image.info["loop"], looks.read_durations(image)) == ((160, 120), 0, DURATIONS)
    for number, expected in enumerate((pictures.RED, (40, 1, 90), (80, 2, 90))):
        image.seek(number)
        assert_colour(image, expected, 12)


@pytest.mark.parametrize(
    ("format", "loop", "plays"),
    [
        ("GIF", {}, 1),
        ("GIF", {"loop": 1}, 2),  # a GIF stores the number of repeats, the others the number of plays
        *(("WEBP", {"loop": 2}, 2), ("PNG", {"loop": 2}, 2)),
        *(("GIF", {"loop": 65_535}, 0), ("PNG", {"loop": 100_000}, 0)),  # more often than WebP can store
    ],
)
def test_an_animation_plays_as_often_as_before(format: str, loop: dict[str, int], plays: int) -> None:
    data = pictures.animation(format, duration=DURATIONS, **loop)

    assert render(data).info["loop"] == plays


def test_an_animation_is_upright_and_in_srgb() -> None:
    exif = pictures.make_exif(6)
    images = [Image.new("RGB", (60, 40), (red, 0, 0)) for red in (255, 250)]
    options = {"exif": exif, "icc_profile": ROTATED, "lossless": True}
    data = pictures.encode(images[0], "WEBP", save_all=True, append_images=images[1:], **options)

    image = render(data)

    assert (image.size, count_frames(image)) == ((40, 60), 2)
    assert_colour(image, (0, 255, 0), 12)


def assert_first_frame(image: Image.Image) -> None:
    assert count_frames(image) == 1
    assert_colour(image, pictures.RED)


@pytest.mark.parametrize(("format", "extension"), [("GIF", "jpg"), ("GIF", "avif"), ("TIFF", "webp")])
def test_of_other_formats_and_of_pages_only_the_first_frame_is_shown(format: str, extension: str) -> None:
    assert_first_frame(render(pictures.animation(format), extension))


@pytest.mark.parametrize(
    ("limit", "value"), [("MAX_ANIMATED_FRAMES", 3), ("MAX_ANIMATED_PIXELS", 3 * 64 * 48)]
)
def test_an_animation_over_the_bounds_is_its_first_frame(
    limit: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pictures.animation("GIF", duration=DURATIONS)
    monkeypatch.setattr(frames, limit, value)
    assert count_frames(render(data)) == 3
    monkeypatch.setattr(frames, limit, value - 1)
    assert_first_frame(render(data))
