"""EXIF: read if plausible, omitted if not, and never the position."""

import json
import math
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.pictures.inspect import Picture
from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from tests.support import pictures
from tests.unit.http.test_forms_properties import check, is_storable
from tests.unit.pictures import looks

Rational = TiffImagePlugin.IFDRational


def inspect(data: bytes) -> Picture:
    """JSON and PostgreSQL must be able to store the EXIF."""
    picture = looks.inspect(data)
    json.dumps(picture.exif, allow_nan=False)
    assert all(is_storable(value) for value in picture.exif.values() if isinstance(value, str))
    if "taken_at" in picture.exif:
        datetime.fromisoformat(picture.exif["taken_at"])
    return picture


def read_exif(**options: Any) -> dict[str, Any]:
    return inspect(pictures.jpeg(**options)).exif


def test_what_a_camera_says() -> None:
    assert inspect(pictures.camera_jpeg()).exif == {
        "camera": "Canon EOS R6",
        "lens": "RF50mm F1.8 STM",
        "taken_at": "2026-04-01T09:30:15+09:00",
        "orientation": 6,
        "exposure_time": 0.004,
        "f_number": 2.8,
        "iso": 400,
        "focal_length": 50.0,
    }


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        (None, None, None),
        ("Canon", "Canon EOS R6", "Canon EOS R6"),
        ("SONY", "ILCE-7M4", "SONY ILCE-7M4"),
        ("SONY", None, "SONY"),
        (None, "Pixel 8", "Pixel 8"),
        ("NIKON\0\0\0", "Z 6\0", "NIKON Z 6"),
        ("", "", None),
        (" \0 ", "\x01\x02", None),
        ("A" * 5_000, None, "A" * 200),
    ],
)
def test_the_name_of_the_camera(make: str | None, model: str | None, camera: str | None) -> None:
    said = {tag: value for tag, value in ((Base.Make, make), (Base.Model, model)) if value is not None}
    assert read_exif(exif=said).get("camera") == camera


@pytest.mark.parametrize(
    ("moment", "offset", "taken_at"),
    [
        ("2026:04:01 09:30:15", None, "2026-04-01T09:30:15"),
        ("2026:04:01 09:30:15", "-03:30", "2026-04-01T09:30:15-03:30"),
        ("2026:04:01 09:30:15\0", "+09:00\0", "2026-04-01T09:30:15+09:00"),
        ("2026:04:01 09:30:15", "somewhere", "2026-04-01T09:30:15"),
        ("2026:04:01 09:30:15", "+99:99", "2026-04-01T09:30:15"),
        ("0000:00:00 00:00:00", None, None),
        ("    :  :     :  :  ", None, None),
        ("2026:13:45 09:30:15", None, None),
        ("2026:02:30 09:30:15", None, None),
        ("2026:04:01 25:61:61", None, None),
        ("2026-04-01T09:30:15", None, None),
        ("yesterday", None, None),
    ],
)
def test_when_it_was_taken(moment: str, offset: str | None, taken_at: str | None) -> None:
    details = {Base.DateTimeOriginal: moment}
    if offset is not None:
        details[Base.OffsetTimeOriginal] = offset
    assert read_exif(exif_details=details).get("taken_at") == taken_at


@pytest.mark.parametrize(
    "value",
    [-1.0, *(Rational(*pair) for pair in ((1, 0), (0, 1), (0, 0), (1, 4_000_000_000), (4_000_000_000, 1)))],
)
@pytest.mark.parametrize(
    ("tag", "name"),
    [(Base.ExposureTime, "exposure_time"), (Base.FNumber, "f_number"), (Base.FocalLength, "focal_length")],
)
def test_absurd_numbers(tag: int, name: str, value: Any) -> None:
    number = read_exif(exif_details={tag: value}).get(name)
    assert number is None or (math.isfinite(number) and number > 0)


@pytest.mark.parametrize("value", [0, (100, 200), "fast", 4_000_000_000])
def test_absurd_sensitivities(value: Any) -> None:
    read_exif(exif_details={Base.ISOSpeedRatings: value})


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
    b"Exif\0\0",
    b"Exif\0\0garbage that is no TIFF",
    b"Exif\0\0MM\0*",
    b"Exif\0\0MM\0*\xff\xff\xff\xff",
    b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40,
    b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08",
    b"Exif\0\0II*\0\x08\0\0\0\0\0\x08\0\0\0",
]


@pytest.mark.parametrize("block", UNREADABLE)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_exif_that_cannot_be_read_is_no_reason_to_refuse(block: bytes) -> None:
    others = [pictures.encode(pictures.quadrants(), format, exif=block) for format in ("PNG", "WEBP")]
    for data in (pictures.jpeg_with_exif_block(block), *others):
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
