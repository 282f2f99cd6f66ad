"""Intermediates: which pictures have one, and that variants match those of the original."""

import io
from collections.abc import Callable
from functools import cache, partial

import pytest
from imageapi.model.variant_names import INTERMEDIATE_MAX_BYTES, INTERMEDIATE_SIDE, WIDTHS, Variant
from imageapi.pictures import intermediate, resize
from PIL import Image, ImageChops, ImageCms, ImageStat, PngImagePlugin

from tests.support import pictures
from tests.unit.pictures.looks import CORNERS, ROTATED, assert_alike, corners, inspect, render

WIDTH, HEIGHT = 2_400, 1_800


def quadrants(mode: str = "RGB") -> Image.Image:
    return pictures.quadrants(WIDTH, HEIGHT, mode)


UNSUITABLE = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
TURNED = quadrants().transpose(pictures.STORED[6])
DEEP = quadrants("L").convert("I;16").point(lambda value: value * 257)

WITH_INTERMEDIATE: dict[str, Callable[[], bytes]] = {
    "jpeg": pictures.large_jpeg,
    **{f"jpeg_orientation_{n}": partial(pictures.large_jpeg, n) for n in (3, 6, 7)},
    "jpeg_cmyk": partial(pictures.jpeg, WIDTH, HEIGHT, mode="CMYK"),
    "jpeg_grey": partial(pictures.jpeg, WIDTH, HEIGHT, mode="L"),
    "jpeg_progressive": partial(pictures.jpeg, WIDTH, HEIGHT, progressive=True),
    "jpeg_profile": lambda: pictures.encode(quadrants(), "JPEG", quality=90, icc_profile=UNSUITABLE),
    "jpeg_rotated_colours": lambda: pictures.encode(quadrants(), "JPEG", quality=95, icc_profile=ROTATED),
    "png": partial(pictures.png, WIDTH, HEIGHT),
    "png_opaque_alpha": partial(pictures.png, WIDTH, HEIGHT, mode="RGBA"),
    "png_palette": lambda: pictures.encode(quadrants().quantize(4), "PNG"),
    "png_16_bit": lambda: pictures.encode(DEEP, "PNG"),
    "webp": lambda: pictures.encode(quadrants(), "WEBP"),
    "avif": lambda: pictures.encode(quadrants(), "AVIF", speed=10),
    "tiff": lambda: pictures.encode(quadrants(), "TIFF"),
    "tiff_turned": lambda: pictures.encode(TURNED, "TIFF", exif=pictures.make_exif(6)),
    "mpo": partial(pictures.animation, "MPO", 2, WIDTH, HEIGHT),
}

WITHOUT_INTERMEDIATE: dict[str, Callable[[], bytes]] = {
    "too_small": partial(pictures.jpeg, 2_400, 1_600),
    "too_narrow": partial(pictures.jpeg, 3_200, 1_270),
    "panorama": partial(pictures.jpeg, 4_200, 1_300),
    "transparent": lambda: pictures.encode(Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 200)), "PNG"),
    "animated": partial(pictures.animation, "GIF", 2, WIDTH, HEIGHT),
    "pages": partial(pictures.animation, "TIFF", 2, WIDTH, HEIGHT),
}


@cache
def example(name: str) -> tuple[bytes, bytes]:
    """A picture of WITH_INTERMEDIATE, and its intermediate."""
    data = WITH_INTERMEDIATE[name]()
    found = inspect(data).intermediate
    assert found
    return data, found


@pytest.mark.parametrize("name", WITH_INTERMEDIATE)
def test_an_intermediate_is_small_upright_and_without_metadata(name: str) -> None:
    _, data = example(name)

    assert len(data) < INTERMEDIATE_MAX_BYTES
    stored = Image.open(io.BytesIO(data))
    assert (stored.format, stored.mode, stored.size) == ("JPEG", "RGB", (1_200, 900))
    assert not stored.getexif()
    assert "icc_profile" not in stored.info
    assert b"GPS" not in data


@pytest.mark.parametrize("extension", ["jpg", "png"])
@pytest.mark.parametrize(
    ("size", "shorter"),
    [((2_561, 1_920), 640), ((2_400, 2_559), 800), ((3_840, 1_280), 640), ((4_000, 3_000), 750)],
)
def test_the_least_size_of_an_intermediate(size: tuple[int, int], shorter: int, extension: str) -> None:
    data = inspect(pictures.jpeg(*size) if extension == "jpg" else pictures.png(*size)).intermediate
    assert data
    found = min(Image.open(io.BytesIO(data)).size)
    # A JPEG can only be decoded at halves, quarters and eighths.
    assert found == shorter if extension == "png" else shorter <= found < 2 * INTERMEDIATE_SIDE


@pytest.mark.parametrize("size", [(2_401, 1_921), (3_841, 2_881), (2_559, 1_919)])
@pytest.mark.parametrize("mode", ["RGB", "P"])
def test_an_intermediate_is_not_moved_by_pixels_that_are_left_over(size: tuple[int, int], mode: str) -> None:
    """Fine lines, in which even a subpixel shift is visible."""
    columns, rows = size[0] // 20 + 1, size[1] // 20 + 1
    lines = Image.new("L", (columns, rows))
    lines.putdata([255 * ((x ^ y) % 2) for y in range(rows) for x in range(columns)])
    lines = lines.resize((20 * columns, 20 * rows), Image.Resampling.NEAREST).crop((0, 0, *size))
    stored = inspect(pictures.encode(lines.convert(mode), "PNG")).intermediate
    assert stored

    for width in (160, 320):
        variant = render(stored, "jpg", width)
        exact = lines.convert("RGB").resize(variant.size, Image.Resampling.LANCZOS)
        assert max(ImageStat.Stat(ImageChops.difference(variant, exact)).mean) < 24


@pytest.mark.parametrize("size", [(200, 150), (WIDTH, HEIGHT)])
@pytest.mark.parametrize("name", ["gamma", "icc_profile", "srgb"])
def test_texts_are_not_taken_for_colours(name: str, size: tuple[int, int]) -> None:
    """Pillow stores a PNG's texts in the same dictionary as its color information."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text(name, "2.2")
    data = pictures.encode(pictures.quadrants(*size), "PNG", pnginfo=texts)

    assert bool(inspect(data).intermediate) == (size[0] == WIDTH)
    assert_alike(corners(render(data)), CORNERS)


@pytest.mark.parametrize("name", WITHOUT_INTERMEDIATE)
def test_other_pictures_have_none(name: str) -> None:
    assert inspect(WITHOUT_INTERMEDIATE[name]()).intermediate is None


@pytest.mark.parametrize("cover", [False, True])
@pytest.mark.parametrize("name", WITH_INTERMEDIATE)
def test_variants_look_as_those_of_the_original(name: str, cover: bool) -> None:
    of_original, of_intermediate = (render(data, "jpg", 320, cover=cover) for data in example(name))

    assert of_intermediate.size == of_original.size
    assert max(ImageStat.Stat(ImageChops.difference(of_intermediate, of_original)).mean) < 2
    assert_alike(corners(of_intermediate), corners(of_original))
    if name == "jpeg_rotated_colours":
        assert_alike(corners(of_intermediate), [(blue, red, green) for red, green, blue in CORNERS])
    elif name not in ("jpeg_grey", "png_16_bit"):
        assert_alike(corners(of_intermediate), CORNERS)


def test_an_intermediate_has_enough_pixels_for_its_variants() -> None:
    served = {width for width in WIDTHS if Variant(width, False, "webp").is_small}
    assert served == {160, 320}
    assert max(served) * resize.GAP <= INTERMEDIATE_SIDE


def test_an_intermediate_is_no_reason_to_refuse_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(intermediate, "shrink", fail)
    assert inspect(pictures.large_jpeg()).intermediate is None
