"""Good pictures are read, bad ones are refused with their code, and sizes are limited before decoding."""

import io
import struct
import warnings

import pytest
from imageapi.errors import UnprocessableError
from imageapi.model.image_formats import find_kind
from imageapi.pictures.open import open_picture
from imageapi.pictures.pixel_limits import check_size
from PIL import ImageFile, TiffImagePlugin, TiffTags

from tests.support import hostile, pictures, samples
from tests.support.pictures import MAX_PIXELS
from tests.support.pngs import compress_zeros, png_chunk
from tests.support.samples import ALL_GOOD
from tests.support.tiffs import EXTRA_SAMPLES, SHORT, tiff
from tests.unit.pictures import looks
from tests.unit.pictures.looks import CORNERS, assert_alike, corners, inspect, refusal, render

XMP = 700
BAD = samples.BAD | hostile.BAD
CORRUPT, TOO_LARGE = (422, "image_corrupt"), (422, "too_many_pixels")


@pytest.fixture
def nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise AssertionError("decoded")

    for kind in (ImageFile.ImageFile, TiffImagePlugin.TiffImageFile):
        monkeypatch.setattr(kind, "load", refuse)


@pytest.mark.parametrize("name", ALL_GOOD)
def test_good_pictures(name: str) -> None:
    picture = inspect(ALL_GOOD[name]())
    kind = find_kind(ALL_GOOD[name]())
    found = (kind.mime_type, kind.extension, picture.width, picture.height, picture.frames)
    assert found == samples.facts(name)
    placeholder = looks.open_placeholder(picture)
    assert placeholder.size == (16, 12)
    assert not placeholder.getexif()
    assert len(picture.placeholder) < 400
    if not name.endswith(("_grey", "_one_bit", "_16_bit", "_transparent")):
        assert_alike(corners(placeholder), CORNERS, 60)


@pytest.mark.parametrize("name", ALL_GOOD)
@pytest.mark.usefixtures("nothing_is_decoded")
def test_they_are_opened_from_any_position_without_decoding(name: str) -> None:
    source = io.BytesIO(ALL_GOOD[name]())
    source.seek(100)
    image = open_picture(source, MAX_PIXELS)
    assert image.format in ("MPO", find_kind(source.getvalue()).format)


@pytest.mark.parametrize("name", [name for name, (*_, code) in BAD.items() if code != "too_many_pixels"])
def test_bad_pictures(name: str) -> None:
    make, *expected = BAD[name]
    data = make()
    assert refusal(inspect, data) == tuple(expected)
    # A variant shows only the first frame, and needs no checksums.
    if "checksum" not in name and "other_codec" not in name and "too_many_frames" not in expected:
        assert refusal(render, data) == tuple(expected)


@pytest.mark.parametrize(
    "name", [name for name, (*_, code) in BAD.items() if code == "too_many_pixels" and "cropping" not in name]
)
@pytest.mark.usefixtures("nothing_is_decoded")
def test_the_size_is_bounded_before_anything_is_decoded(name: str) -> None:
    data = BAD[name][0]()
    assert len(data) < 70_000
    for use in (inspect, render):
        assert refusal(use, data) == TOO_LARGE


@pytest.mark.parametrize("first", [True, False])
def test_a_frame_larger_than_its_screen_is_refused_before_there_is_room_for_it(first: bool) -> None:
    """Pillow allocates a frame to be wiped as soon as it reads its size: 900 MB for these few bytes."""
    screen = b"GIF89a\x01\0\x01\0\x80\0\0" + b"\0" * 6
    small = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    size = (30_000).to_bytes(2, "little") * 2
    huge = b"\x21\xf9\x04\x08\0\0\0\0\x2c\0\0\0\0" + size + b"\0\x02\x02\x44\x01\0"
    data = screen + (huge if first else small + huge) + b"\x3b"
    assert refusal(inspect, data) == TOO_LARGE


def test_the_limit_of_pixels() -> None:
    for size in ((100, 100), (1, 10_000), (0, 0)):
        check_size(size, 10_000)
    check_size((65_535, 1), MAX_PIXELS)
    with pytest.raises(UnprocessableError) as caught:
        check_size((101, 100), 10_000)
    assert caught.value.details == {"width": 101, "height": 100, "max_pixels": 10_000, "max_side": 65_535}
    assert refusal(check_size, (1, 65_536), MAX_PIXELS) == TOO_LARGE


def test_sizes_and_their_placeholders() -> None:
    for size in ((1, 1), (1, 2_000), (2_000, 1), (3, 5), (15, 15), (16, 16), (17, 17), (640, 480)):
        picture = inspect(pictures.png(*size))
        assert (picture.width, picture.height) == size
        assert max(looks.open_placeholder(picture).size) == min(16, max(size)), size


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "AVIF", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_format_is_turned_as_a_viewer_turns_it(format: str, orientation: int) -> None:
    image = pictures.quadrants(240, 180)
    if orientation > 1:
        image = image.transpose(pictures.STORED[orientation])
    options = {"lossless": True} if format == "WEBP" else {}
    data = pictures.encode(image, format, exif=pictures.make_exif(orientation), **options)

    picture = inspect(data)
    assert (picture.width, picture.height) == (240, 180)
    assert_alike(corners(looks.open_placeholder(picture)), CORNERS, 60)
    for cover, size in ((False, (160, 120)), (True, (160, 160))):
        rendered = render(data, cover=cover)
        assert rendered.size == size
        assert_alike(corners(rendered), CORNERS)


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


def test_the_most_frames_and_four_times_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 64 * 48 * 5 // 2  # a GIF may use two fifths of it
    assert inspect(pictures.animation("GIF", 4), most).frames == 4
    assert refusal(inspect, pictures.animation("GIF", 5), most) == (422, "too_many_frames")
    monkeypatch.setattr("imageapi.pictures.pixel_limits.MAX_FRAMES", 5)
    for format in ("GIF", "PNG", "WEBP"):
        assert inspect(pictures.animation(format, 5)).frames == 5
        assert refusal(inspect, pictures.animation(format, 6)) == (422, "too_many_frames")


def test_a_later_page_is_bounded_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [pictures.quadrants(10, 10), pictures.quadrants(200, 200)]
    data = pictures.encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    loaded = set()
    load = ImageFile.ImageFile.load

    def note_and_load(image: ImageFile.ImageFile) -> object:
        loaded.add(image.size)
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", note_and_load)
    assert refusal(inspect, data, 5_000) == TOO_LARGE
    assert loaded == {(10, 10)}


def test_a_later_frame_that_is_broken() -> None:
    assert refusal(inspect, pictures.animation("GIF", 3)[:-40]) == CORRUPT
    png = bytearray(pictures.animation("PNG", 3))
    png[png.rindex(b"fdAT") + 10] ^= 0xFF
    assert refusal(inspect, bytes(png)) == CORRUPT


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_no_cut_is_overlooked(format: str) -> None:
    """Pixels cut off at any point. (The last bytes of a PNG are the checksum of an empty chunk.)"""
    data = pictures.noisy(format, 64)
    for keep in range(20, len(data) - 12, len(data) // 40):
        assert refusal(inspect, data[:keep])[0] in (415, 422)


def test_text_that_expands_is_not_unpacked() -> None:
    """A 50 MB comment, compressed in a 50 KB PNG."""
    data = pictures.png()
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + compress_zeros(50_000_000))
    end_of_header = 8 + 12 + 13
    assert refusal(inspect, data[:end_of_header] + bomb + data[end_of_header:]) == CORRUPT


def test_hardly_any_bytes() -> None:
    for data in (b"", b"\xff", b"BM", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*"):
        assert refusal(inspect, data)[0] in (415, 422)
    for data in (b"RIFF\0\0\0\0WEBP", b"\0\0\0\x20ftypavif"):
        assert refusal(inspect, data) == CORRUPT


def test_a_directory_that_points_to_itself() -> None:
    """A TIFF whose next directory is the first one, in an endless loop."""
    data = bytearray(pictures.still("TIFF"))
    (first,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + entries * 12, first)
    assert inspect(bytes(data)).frames == 1


def test_tiles_may_stand_over_the_edges_but_need_a_size() -> None:
    for size, tile, tiles, most in (((60, 60), (512, 512), 1, 1_250_000), ((100, 70), (64, 64), 4, 22_500)):
        data = hostile.tiff(size, tile, tiles=tiles)
        assert open_picture(io.BytesIO(data), most).format == "TIFF"
        assert inspect(data).frames == 1
    for tile in ((0, 16), (16, 0)):
        assert refusal(inspect, hostile.tiff(tile=tile)) == CORRUPT


def test_bad_tags_of_a_tiff_are_not_logged() -> None:
    good = tiff(4, 4, bytes(16), extra_samples=0)
    tag = struct.pack("<HH", EXTRA_SAMPLES, SHORT)
    data = good.replace(tag + struct.pack("<I", 1), tag + struct.pack("<I", 1_000_000))  # beyond the file
    assert data != good
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        inspect(data)
    assert said == []
