"""Pictures: good ones are read correctly, bad ones refused with their code, and the size limited before
anything is decoded.
"""

import base64
import io
import struct
from functools import partial

import pytest
from imageapi.errors import AppError, UnprocessableError
from imageapi.pictures.identify import identify
from imageapi.pictures.inspect import Picture, inspect
from imageapi.pictures.pixel_limits import check_size
from PIL import Image, ImageFile

from tests.support import pictures
from tests.support.pictures import ALL_GOOD, BAD, MAX_PIXELS
from tests.support.pngs import compress_zeros, png_chunk

COLOURS = (pictures.RED, pictures.GREEN, pictures.BLUE, pictures.WHITE)
CAMERA_FACTS = {
    "camera",
    "lens",
    "taken_at",
    "orientation",
    "exposure_time",
    "f_number",
    "iso",
    "focal_length",
}


def inspect_bytes(data: bytes, max_pixels: int = MAX_PIXELS) -> Picture:
    return inspect(io.BytesIO(data), max_pixels)


def refusal(data: bytes, max_pixels: int = MAX_PIXELS) -> tuple[int, str]:
    with pytest.raises(AppError) as caught:
        inspect_bytes(data, max_pixels)
    return caught.value.status, caught.value.code


def open_placeholder(picture: Picture) -> Image.Image:
    head, _, text = picture.placeholder.partition(",")
    assert head == "data:image/webp;base64"
    image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
    image.load()
    return image.convert("RGB")


def is_upright(image: Image.Image) -> bool:
    """Whether the four corners are red, green / blue, white."""
    right, bottom = image.width - 2, image.height - 2
    corners = [image.getpixel(at) for at in ((1, 1), (right, 1), (1, bottom), (right, bottom))]
    return all(
        isinstance(corner, tuple) and all(abs(a - b) < 60 for a, b in zip(corner, colour, strict=True))
        for corner, colour in zip(corners, COLOURS, strict=True)
    )


@pytest.mark.parametrize("name", ALL_GOOD)
def test_good_pictures(name: str) -> None:
    facts = pictures.facts(name)
    picture = inspect_bytes(ALL_GOOD[name]())
    kind = picture.kind
    assert (kind.mime_type, kind.extension) == (facts.mime_type, facts.extension)
    assert (picture.width, picture.height, picture.frames) == (facts.width, facts.height, facts.frames)
    assert set(picture.exif) <= CAMERA_FACTS


@pytest.mark.parametrize("name", ALL_GOOD)
def test_placeholders(name: str) -> None:
    picture = inspect_bytes(ALL_GOOD[name]())
    image = open_placeholder(picture)
    assert image.size == (16, 12)
    assert not image.getexif()
    assert len(picture.placeholder) < 400
    if not name.endswith(("_grey", "_one_bit", "_16_bit", "_transparent")):
        assert is_upright(image)


@pytest.mark.parametrize("name", ALL_GOOD)
def test_identify_agrees_and_decodes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = ALL_GOOD[name]()
    kind = inspect_bytes(data).kind
    monkeypatch.setattr(ImageFile.ImageFile, "load", refuse_to_load)
    assert identify(io.BytesIO(data), MAX_PIXELS) == kind


@pytest.mark.parametrize("name", BAD)
def test_bad_pictures(name: str) -> None:
    make, status, code = BAD[name]
    assert refusal(make()) == (status, code)


@pytest.mark.parametrize("name", [name for name, (_, _, code) in BAD.items() if code == "too_many_pixels"])
def test_the_size_is_bounded_before_anything_is_decoded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", refuse_to_load)
    data = BAD[name][0]()
    for check in (identify, inspect):
        with pytest.raises(UnprocessableError) as caught:
            check(io.BytesIO(data), MAX_PIXELS)
        assert caught.value.code == "too_many_pixels"
        details = caught.value.details
        assert details is not None
        assert details["max_pixels"] <= MAX_PIXELS


@pytest.mark.parametrize("first", [True, False])
def test_a_frame_larger_than_its_screen_is_refused_before_there_is_room_for_it(first: bool) -> None:
    """Pillow allocates a frame to be wiped as soon as it reads its size: 900 MB for these few bytes."""
    screen = b"GIF89a\x01\0\x01\0\x80\0\0" + b"\0" * 6
    small = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    huge = (
        b"\x21\xf9\x04\x08\0\0\0\0\x2c\0\0\0\0" + (30_000).to_bytes(2, "little") * 2 + b"\0\x02\x02\x44\x01\0"
    )
    data = screen + (huge if first else small + huge) + b"\x3b"
    assert refusal(data) == (422, "too_many_pixels")


def refuse_to_load(_: object) -> None:
    raise AssertionError("decoded")


def test_the_bomb_is_a_bomb() -> None:
    """It is a complete picture: only the limit refuses it."""
    assert len(pictures.png_bomb()) < 20_000
    small = pictures.png_bomb(64)
    assert (inspect_bytes(small).width, inspect_bytes(small).height) == (64, 64)


@pytest.mark.parametrize(
    ("size", "fits"), [((100, 100), True), ((101, 100), False), ((1, 10_000), True), ((0, 0), True)]
)
def test_the_limit_of_pixels(size: tuple[int, int], fits: bool) -> None:
    if fits:
        check_size(size, 10_000)
    else:
        with pytest.raises(UnprocessableError, match="101 x 100"):
            check_size(size, 10_000)


def test_the_longest_side() -> None:
    check_size((65_535, 1), MAX_PIXELS)
    with pytest.raises(UnprocessableError):
        check_size((1, 65_536), MAX_PIXELS)


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 2_000), (2_000, 1), (3, 5), (15, 15), (16, 16), (17, 17), (640, 480)]
)
def test_sizes_and_their_placeholders(size: tuple[int, int]) -> None:
    picture = inspect_bytes(pictures.png(*size))
    assert (picture.width, picture.height) == size
    assert max(open_placeholder(picture).size) == min(16, max(size))


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "AVIF", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_format_is_turned_as_a_viewer_turns_it(format: str, orientation: int) -> None:
    image = pictures.quadrants()
    if orientation > 1:
        image = image.transpose(pictures.STORED[orientation])
    options = {"lossless": True} if format == "WEBP" else {}
    picture = inspect_bytes(pictures.encode(image, format, exif=pictures.make_exif(orientation), **options))
    assert (picture.width, picture.height) == (64, 48)
    assert is_upright(open_placeholder(picture))


def test_an_animation_may_have_four_times_the_pixels() -> None:
    four, five = pictures.animation("GIF", 4), pictures.animation("GIF", 5)
    most = 64 * 48 * 5 // 2  # a GIF may use two fifths of it
    assert inspect_bytes(four, most).frames == 4
    assert refusal(five, most) == (422, "too_many_frames")


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_the_most_frames(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imageapi.pictures.pixel_limits.MAX_FRAMES", 5)
    assert inspect_bytes(pictures.animation(format, 5)).frames == 5
    assert refusal(pictures.animation(format, 6)) == (422, "too_many_frames")


def test_a_later_page_is_bounded_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    pictures.quadrants(10, 10).save(
        buffer, "TIFF", save_all=True, append_images=[pictures.quadrants(200, 200)]
    )
    loaded = set()
    load = ImageFile.ImageFile.load

    def note_and_load(image: ImageFile.ImageFile) -> object:
        loaded.add(image.size)
        return load(image)

    monkeypatch.setattr(ImageFile.ImageFile, "load", note_and_load)
    assert refusal(buffer.getvalue(), 5_000) == (422, "too_many_pixels")
    assert loaded == {(10, 10)}


def test_a_later_frame_that_is_broken() -> None:
    gif = pictures.animation("GIF", 3)
    assert refusal(gif[:-40]) == (422, "image_corrupt")
    png = bytearray(pictures.animation("PNG", 3))
    at = png.rindex(b"fdAT")
    png[at + 10] ^= 0xFF
    assert refusal(bytes(png)) == (422, "image_corrupt")


@pytest.mark.parametrize(
    "make", [partial(pictures.noisy, format, 64) for format in ("JPEG", "PNG", "WEBP", "BMP", "TIFF")]
)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_no_cut_is_overlooked(make: partial[bytes]) -> None:
    """Pixels cut off at any point. (The last bytes of a PNG are the checksum of an empty chunk.)"""
    data = make()
    for keep in range(20, len(data) - 12, len(data) // 40):
        assert refusal(data[:keep])[0] in (415, 422)


def test_text_that_expands_is_not_unpacked() -> None:
    """A 50 MB comment, compressed in a 50 KB PNG."""
    data = pictures.png()
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + compress_zeros(50_000_000))
    end_of_header = 8 + 12 + 13
    assert refusal(data[:end_of_header] + bomb + data[end_of_header:]) == (422, "image_corrupt")


BEGINNINGS = [
    *(b"", b"\xff", b"BM", b"GIF89a", b"\x89PNG\r\n\x1a\n"),
    *(b"RIFF\0\0\0\0WEBP", b"\0\0\0\x20ftypavif", b"II*\0", b"MM\0*"),
]


@pytest.mark.parametrize("data", BEGINNINGS)
def test_hardly_any_bytes(data: bytes) -> None:
    assert refusal(data)[0] in (415, 422)


def test_a_directory_that_points_to_itself() -> None:
    """A TIFF whose next directory is the first one, in an endless loop."""
    data = bytearray(pictures.still("TIFF"))
    (first,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + entries * 12, first)
    assert inspect_bytes(bytes(data)).frames == 1


def test_sixteen_bits_keep_their_shades() -> None:
    image = open_placeholder(inspect_bytes(pictures.png_16_bit()))
    left, right = image.getpixel((1, 6)), image.getpixel((14, 6))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert right[0] > left[0] + 60


def test_the_source_may_stand_anywhere() -> None:
    source = io.BytesIO(pictures.jpeg())
    source.seek(100)
    assert identify(source, MAX_PIXELS).format == "JPEG"
    assert inspect(source, MAX_PIXELS).width == 64
