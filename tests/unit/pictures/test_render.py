"""Variants: of the right size, upright, and never with more pixels than the original."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from imageapi.model.variant_formats import MIME_TYPES
from imageapi.model.variant_names import WIDTHS, Variant
from imageapi.pictures.render import MAX_ENCODED_PIXELS, fit
from imageapi.pictures.resize import find_box
from imageapi.pictures.scale_on_load import scale_to_fill
from PIL import Image, TiffImagePlugin, TiffTags

from tests.support import pictures
from tests.unit.pictures.looks import CORNERS, alpha_at, assert_alike, corners, inspect, render

XMP = 700
BLUE = (0, 0, 255)
# Other tests check the colours of black and white, and of 16 bits.
OTHER_COLOURS = {"png_one_bit", "png_16_bit"}
BIG: dict[str, bytes] = {
    "jpeg": pictures.jpeg(600, 400),
    "jpeg_turned": pictures.jpeg(600, 400, orientation=6),
    "jpeg_progressive": pictures.jpeg(600, 400, progressive=True),
    "jpeg_cmyk": pictures.jpeg(600, 400, mode="CMYK"),
    "png": pictures.png(600, 400),
    "png_palette": pictures.encode(pictures.quadrants(600, 400).quantize(4), "PNG"),
    **{
        format.lower(): pictures.encode(pictures.quadrants(600, 400), format)
        for format in ("GIF", "WEBP", "AVIF", "BMP", "TIFF")
    },
}


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("name", pictures.ALL_GOOD)
def test_a_small_picture_is_not_enlarged(name: str, extension: str) -> None:
    data = pictures.ALL_GOOD[name]()
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
        assert_alike(corners(image), CORNERS)


def test_cover_cuts_the_same_from_both_sides() -> None:
    image = Image.new("RGB", (600, 200), pictures.BLUE)
    image.paste(pictures.RED, (0, 0, 190, 200))
    image.paste(pictures.GREEN, (410, 0, 600, 200))

    square = render(pictures.encode(image, "PNG"), cover=True)

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


@pytest.mark.parametrize("extension", MIME_TYPES)
def test_transparency(extension: str) -> None:
    image = pictures.quadrants(320, 240, "RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 160, 120))
    image.paste((0, 0, 0, 128), (160, 0, 320, 120))

    rendered = render(pictures.encode(image, "PNG"), extension)

    assert_alike(corners(rendered), [(255, 255, 255), (127, 127, 127), *CORNERS[2:]])
    if extension == "jpg":
        assert rendered.mode == "RGB"
    else:
        assert alpha_at(rendered, (3, 3), (3, 116)) == [0, 255]


sizes = st.tuples(st.integers(1, 65_535), st.integers(1, 65_535))
variants = st.builds(Variant, st.sampled_from(WIDTHS), st.booleans(), st.just("jpg"))


@given(sizes, variants)
@example((828, 1_792), Variant(320, True, "jpg"))
@example((1_440, 2_960), Variant(640, True, "jpg"))
def test_a_variant_has_no_pixels_beside_or_beyond_its_source(size: tuple[int, int], variant: Variant) -> None:
    width, height = fit(size, variant)

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
        assert fit((1_920, height), Variant(1_920, False, "avif")) == expected


@given(sizes, sizes)
def test_what_is_decoded_covers_what_is_wanted(size: tuple[int, int], target: tuple[int, int]) -> None:
    decoded = scale_to_fill(size, target)

    assert decoded[0] >= target[0] or decoded[1] >= target[1]
    # Rounding may take half a pixel.
    assert all(have >= want - 0.5 for have, want in zip(decoded, target, strict=True))


@pytest.mark.parametrize("size", [(600, 400), (2_400, 1_800)])
def test_a_tiff_that_only_xmp_turns(size: tuple[int, int]) -> None:
    """Pillow rotates it on load, and reports the stored size before that."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[XMP] = b'<x tiff:Orientation="6"/>'
    tags.tagtype[XMP] = TiffTags.BYTE
    data = pictures.encode(pictures.quadrants(*size).transpose(pictures.STORED[6]), "TIFF", tiffinfo=tags)

    picture = inspect(data)

    assert (picture.width, picture.height) == size
    for source in (data, picture.intermediate or data):
        variant = render(source, "webp", 320)
        assert variant.size == (320, round(320 * size[1] / size[0]))
        assert_alike(corners(variant), CORNERS)
