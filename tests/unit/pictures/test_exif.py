"""EXIF: read if plausible, omitted if not, and never the position."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.decoder import results
from imageapi.model.picture import Picture
from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from tests.support import pictures
from tests.support.properties import check, is_storable
from tests.unit.pictures import looks


def inspect(data: bytes) -> Picture:
    """The function must accept the EXIF from its decoder, and PostgreSQL be able to store it."""
    picture = looks.inspect(data)
    facts = json.loads(json.dumps(results.picture_facts(picture), allow_nan=False))
    assert results.parse_picture(facts, picture.intermediate or b"") == picture
    assert all(is_storable(value) for value in picture.exif.values() if isinstance(value, str))
    return picture


def read_exif(**options: Any) -> dict[str, Any]:
    return inspect(pictures.jpeg(**options)).exif


def test_what_a_camera_says() -> None:
    texts = {"camera": "Canon EOS R6", "lens": "RF50mm F1.8 STM", "taken_at": "2026-04-01T09:30:15+09:00"}
    numbers = {"exposure_time": 0.004, "f_number": 2.8, "iso": 400, "focal_length": 50.0, "orientation": 6}
    assert inspect(pictures.camera_jpeg()).exif == texts | numbers


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        *((None, None, None), ("", "", None), (" \0 ", "\x01\x02", None), (None, "Pixel 8", "Pixel 8")),
        *(("Canon", "Canon EOS R6", "Canon EOS R6"), ("SONY", "ILCE-7M4", "SONY ILCE-7M4")),
        *(("SONY", None, "SONY"), ("NIKON\0\0\0", "Z 6\0", "NIKON Z 6"), ("A" * 5_000, None, "A" * 200)),
        ("A" * 150, "B" * 150, "A" * 150 + " " + "B" * 49),
    ],
)
def test_the_name_of_the_camera(make: str | None, model: str | None, camera: str | None) -> None:
    said = {tag: value for tag, value in ((Base.Make, make), (Base.Model, model)) if value is not None}
    assert read_exif(exif=said) == ({"camera": camera} if camera else {})


TIME = "2026:04:01 09:30:15"


@pytest.mark.parametrize(
    ("moment", "offset", "taken_at"),
    [
        (TIME, None, "2026-04-01T09:30:15"),
        (TIME, "-03:30", "2026-04-01T09:30:15-03:30"),
        (TIME + "\0", "+09:00\0", "2026-04-01T09:30:15+09:00"),
        *((TIME, offset, "2026-04-01T09:30:15") for offset in ("somewhere", "+99:99")),
        *((moment, None, None) for moment in ("0000:00:00 00:00:00", "    :  :     :  :  ", "yesterday")),
        *((moment, None, None) for moment in ("2026:13:45 09:30:15", "2026:02:30 09:30:15")),
        *((moment, None, None) for moment in ("2026:04:01 25:61:61", "2026-04-01T09:30:15")),
    ],
)
def test_when_it_was_taken(moment: str, offset: str | None, taken_at: str | None) -> None:
    said = {Base.DateTimeOriginal: moment} | ({Base.OffsetTimeOriginal: offset} if offset else {})
    assert read_exif(exif_details=said) == ({"taken_at": taken_at} if taken_at else {})


def test_values_of_another_type_are_converted_or_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {Base.FNumber: "2.8", Base.ISOSpeedRatings: "fast", Base.LensModel: 50.0}
    data = pictures.camera_jpeg()
    monkeypatch.setattr(Image.Exif, "get_ifd", lambda *_: values)

    assert inspect(data).exif == {"camera": "Canon EOS R6", "f_number": 2.8, "orientation": 6}


@pytest.mark.parametrize("tag", [Base.ExposureTime, Base.FNumber, Base.FocalLength, Base.ISOSpeedRatings])
def test_absurd_numbers(tag: int) -> None:
    ratios = ((1, 0), (0, 1), (0, 0), (1, 4_000_000_000), (4_000_000_000, 1))
    absurd = (-1.0, *(TiffImagePlugin.IFDRational(*ratio) for ratio in ratios))
    for value in (0, (100, 200), 4_000_000_000) if tag == Base.ISOSpeedRatings else absurd:
        assert read_exif(exif_details={tag: value}) == {}, value


@pytest.mark.parametrize("orientation", [*range(1, 9), 0, 9, 255, 65_535])
def test_the_position_is_never_told_and_orientations_only_from_1_to_8(orientation: int) -> None:
    data = pictures.jpeg(orientation=orientation, gps=True)
    assert b"\x88\x25" in data, "the picture has a position"
    picture = inspect(data)
    assert (picture.width, picture.height) == (64, 48)
    assert picture.exif == ({"orientation": orientation} if 1 <= orientation <= 8 else {})


@pytest.mark.parametrize("format", ["PNG", "WEBP", "AVIF", "TIFF"])
def test_other_formats(format: str) -> None:
    exif = pictures.make_exif(None, {Base.Make: "SONY"}, {Base.FNumber: 2.8}, gps=True)
    said = inspect(pictures.encode(pictures.quadrants(), format, exif=exif)).exif
    # Pillow writes only the main directory to a TIFF.
    assert said == ({"camera": "SONY"} if format == "TIFF" else {"camera": "SONY", "f_number": 2.8})


UNREADABLE = [
    *(b"", b"garbage that is no TIFF", b"MM\0*", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"),
    b"MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40,
    b"MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08",
]


@pytest.mark.parametrize("block", UNREADABLE)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_exif_that_cannot_be_read_is_no_reason_to_refuse(block: bytes) -> None:
    exif = b"Exif\0\0" + block
    others = [pictures.encode(pictures.quadrants(), format, exif=exif) for format in ("PNG", "WEBP")]
    for data in (pictures.jpeg_with_exif_block(exif), *others):
        picture = inspect(data)
        assert (picture.width, picture.height, picture.exif) == (64, 48, {})


@pytest.mark.parametrize("orientation", [3, 6])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_an_orientation_counts_although_nothing_else_can_be_read(
    orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("broken")

    data = pictures.jpeg(orientation=orientation)
    monkeypatch.setattr(Image.Exif, "get_ifd", fail)
    picture = inspect(data)

    assert (picture.width, picture.height, picture.exif) == (64, 48, {"orientation": orientation})


CAMERA_JPEG = pictures.camera_jpeg()
START = CAMERA_JPEG.index(b"Exif\0\0") + 6
END = START - 8 + int.from_bytes(CAMERA_JPEG[START - 8 : START - 6], "big")


@check
@given(st.dictionaries(st.integers(START, END - 1), st.integers(0, 255), min_size=1, max_size=8))
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_broken_exif_costs_the_facts_at_most(changes: dict[int, int]) -> None:
    data = bytearray(CAMERA_JPEG)
    for position, value in changes.items():
        data[position] = value
    picture = inspect(bytes(data))
    assert {picture.width, picture.height} == {64, 48}
