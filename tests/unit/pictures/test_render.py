"""Variants: of the right size, upright, and never with more pixels than the original."""

import io
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from imageapi.errors import UnprocessableError, UnsupportedMediaTypeError
from imageapi.model.variant_formats import MIME_TYPES
from imageapi.model.variant_names import WIDTHS, Variant
from imageapi.pictures import resize
from imageapi.pictures.inspect import inspect
from imageapi.pictures.render import MAX_ENCODED_PIXELS, fit, render
from imageapi.pictures.resize import find_box
from imageapi.pictures.scale_on_load import scale_to_fill
from PIL import Image, TiffImagePlugin, TiffTags

from tests.support import pictures

XMP = 700
FORMATS = {"jpg": "JPEG", "webp": "WEBP", "avif": "AVIF"}
CORNERS = [pictures.RED, pictures.GREEN, pictures.BLUE, pictures.WHITE]
# Black and white, 16 bits, or with a transparent quadrant: other tests check their colours.
OTHER_COLOURS = {"png_one_bit", "png_16_bit", "png_palette_transparent"}
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


def render_to(data: bytes, extension: str = "webp", width: int = 160, *, cover: bool = False) -> Image.Image:
    """The variant, decoded."""
    rendered = render(io.BytesIO(data), Variant(width, cover, extension), pictures.MAX_PIXELS)
    image = Image.open(io.BytesIO(rendered))
    assert image.format == FORMATS[extension]
    image.load()
    return image


def corners(image: Image.Image) -> list[Any]:
    """The colours near the four corners of the displayed picture, on white."""
    rgba = image.convert("RGBA")
    seen = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    right, bottom = seen.width - 4, seen.height - 4
    return [seen.getpixel(place) for place in ((3, 3), (right, 3), (3, bottom), (right, bottom))]


def assert_alike(found: list[Any], expected: list[Any], tolerance: int = 14) -> None:
    for one, other in zip(found, expected, strict=True):
        assert max(abs(a - b) for a, b in zip(one, other, strict=True)) <= tolerance, (found, expected)


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("name", pictures.ALL_GOOD)
def test_a_small_picture_is_not_enlarged(name: str, extension: str) -> None:
    data = pictures.ALL_GOOD[name]()

    whole, square = render_to(data, extension), render_to(data, extension, cover=True)

    assert (whole.size, square.size) == ((64, 48), (48, 48))
    if name not in OTHER_COLOURS:
        expected = [
            Image.new("RGB", (1, 1), c).convert("L" if name == "jpeg_grey" else "RGB") for c in CORNERS
        ]
        wanted = [image.convert("RGB").getpixel((0, 0)) for image in expected]
        assert_alike(corners(whole), wanted)
        assert_alike(corners(square), wanted)


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
        image = render_to(BIG[name], extension, width, cover=cover)
        assert image.size == size
        assert_alike(corners(image), CORNERS)


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_upright(orientation: int, format: str, extension: str) -> None:
    image = pictures.quadrants(240, 180)
    if orientation in pictures.STORED:
        image = image.transpose(pictures.STORED[orientation])
    data = pictures.encode(image, format, exif=pictures.make_exif(orientation))

    for cover, size in ((False, (160, 120)), (True, (160, 160))):
        rendered = render_to(data, extension, cover=cover)
        assert rendered.size == size
        assert_alike(corners(rendered), CORNERS)


def test_cover_cuts_the_same_from_both_sides() -> None:
    image = Image.new("RGB", (600, 200), pictures.BLUE)
    image.paste(pictures.RED, (0, 0, 190, 200))
    image.paste(pictures.GREEN, (410, 0, 600, 200))

    square = render_to(pictures.encode(image, "PNG"), cover=True)

    assert_alike(corners(square), [pictures.BLUE] * 4)


@pytest.mark.parametrize("extension", MIME_TYPES)
def test_a_very_tall_picture_is_rendered_too(extension: str) -> None:
    # A long screenshot: WebP allows 16,383 pixels a side.
    image = render_to(pictures.png(200, 20_000), extension, 320)

    assert image.width <= 200
    assert abs(image.width / image.height - 0.01) < 0.001
    assert_alike(corners(image), CORNERS)


def test_one_pixel_stays_one() -> None:
    assert render_to(pictures.png(1, 1)).size == (1, 1)
    assert render_to(pictures.png(3000, 1)).size == (160, 1)


@pytest.mark.parametrize("extension", MIME_TYPES)
def test_transparency(extension: str) -> None:
    image = pictures.quadrants(320, 240, "RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 160, 120))
    image.paste((0, 0, 0, 128), (160, 0, 320, 120))

    rendered = render_to(pictures.encode(image, "PNG"), extension)

    assert_alike(corners(rendered), [(255, 255, 255), (127, 127, 127), *CORNERS[2:]])
    if extension == "jpg":
        assert rendered.mode == "RGB"
    else:
        assert [rendered.getchannel("A").getpixel(place) for place in ((3, 3), (3, 116))] == [0, 255]


@pytest.mark.parametrize("extension", MIME_TYPES)
def test_a_transparent_colour_of_a_palette(extension: str) -> None:
    data = pictures.png_palette_transparent()
    expected = Image.open(io.BytesIO(data)).convert("RGBA")

    assert_alike(corners(render_to(data, extension)), corners(expected))


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize(("mode", "key"), [("RGB", (255, 0, 0)), ("L", 255)])
def test_one_colour_that_stands_for_nothing(mode: str, key: Any, extension: str) -> None:
    image = Image.new(mode, (80, 40), key)
    image.paste(0, (40, 0, 80, 40))
    rendered = render_to(pictures.encode(image, "PNG", transparency=key), extension)

    if extension == "jpg":
        assert_alike([rendered.getpixel((10, 20))], [(255, 255, 255)])
    else:
        assert [rendered.getchannel("A").getpixel((x, 20)) for x in (10, 70)] == [0, 255]


@given(
    size=st.tuples(st.integers(1, 65_535), st.integers(1, 65_535)),
    variant=st.sampled_from([Variant(width, cover, "jpg") for width in WIDTHS for cover in (False, True)]),
)
@example((828, 1_792), Variant(320, True, "jpg"))
@example((1_440, 2_960), Variant(640, True, "jpg"))
def test_nothing_is_shown_beside_a_picture(size: tuple[int, int], variant: Variant) -> None:
    left, top, right, bottom = find_box(size, fit(size, variant), cut=variant.cover)

    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]


@pytest.mark.parametrize("size", [(20_000, 10), (10, 20_000)])
def test_all_of_a_very_long_picture_is_shown(size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, pictures.RED)
    first = Image.new("RGB", (max(10, size[0] // 4), max(10, size[1] // 4)), (0, 0, 255))
    image.paste(first, (0, 0))
    rendered = render_to(pictures.encode(image, "PNG"), "jpg")

    ends = [rendered.getpixel((0, 0)), rendered.getpixel((rendered.width - 1, rendered.height - 1))]
    assert_alike(ends, [(0, 0, 255), pictures.RED])


@pytest.mark.parametrize("extension", MIME_TYPES)
@pytest.mark.parametrize("options", [{}, {"transparency": 32_768 + 500}])
def test_grey_with_16_bits_keeps_its_shades(options: dict[str, int], extension: str) -> None:
    grey = render_to(pictures.png_16_bit(**options), extension).convert("L")

    shades = [grey.getpixel((x, 24)) for x in (2, 32, 61)]
    for found, stored in zip(shades, (32_768 + 2 * 500, 32_768 + 32 * 500, 32_768 + 61 * 500), strict=True):
        assert isinstance(found, int)
        assert abs(found - stored / 257) <= 3


@pytest.mark.parametrize("name", [name for name, (_, _, code) in pictures.BAD.items() if "truncated" in name])
@pytest.mark.parametrize("extension", MIME_TYPES)
def test_a_broken_picture_is_refused(name: str, extension: str) -> None:
    with pytest.raises(UnprocessableError) as caught:
        render_to(pictures.BAD[name][0](), extension)
    assert caught.value.code == "image_corrupt"


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UnsupportedMediaTypeError):
        render_to(pictures.HTML)


def test_a_source_over_the_bound_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(UnprocessableError) as caught:
        render_to(pictures.png_bomb())
    assert caught.value.code == "too_many_pixels"


def test_a_large_jpeg_is_decoded_at_a_fraction_of_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    original = resize.make_resizable

    def note_size(image: Image.Image) -> Image.Image:
        sizes.append(image.size)
        return original(image)

    monkeypatch.setattr(resize, "make_resizable", note_size)

    render_to(pictures.jpeg(2560, 1920), "jpg", 320)

    assert sizes == [(320, 240)]


sides = st.integers(1, 20_000)
any_variant = st.builds(Variant, st.sampled_from(WIDTHS), st.booleans(), st.sampled_from(sorted(FORMATS)))


@given(st.tuples(sides, sides), any_variant)
def test_a_variant_never_has_more_pixels_than_its_source(size: tuple[int, int], variant: Variant) -> None:
    width, height = fit(size, variant)

    assert 1 <= width <= min(size[0], variant.width)
    assert 1 <= height <= size[1]
    assert width * height <= 1.01 * MAX_ENCODED_PIXELS
    if variant.cover:
        assert width == height == min(variant.width, *size)


def test_a_very_tall_picture_is_made_narrower() -> None:
    assert fit((1_920, 8_000), Variant(1_920, False, "avif")) == (1_920, 8_000)
    width, height = fit((1_920, 32_000), Variant(1_920, False, "avif"))
    assert (width, height) == (980, 16_330)


@given(st.tuples(sides, sides), st.tuples(sides, sides))
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
    stored = pictures.quadrants(*size).transpose(pictures.STORED[6])
    data = pictures.encode(stored, "TIFF", tiffinfo=tags)

    picture = inspect(io.BytesIO(data), pictures.MAX_PIXELS)

    assert (picture.width, picture.height) == size
    for source in (data, picture.intermediate or data):
        variant = render_to(source, "webp", 320)
        assert variant.size == (320, round(320 * size[1] / size[0]))
        assert_alike(corners(variant), CORNERS)
