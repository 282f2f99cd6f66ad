"""Intact pictures of an unsupported kind and broken pictures have different errors."""

import base64
import struct
from typing import Any

import pytest
from imageapi.errors import AppError
from PIL import Image, ImageFile

from tests.support import pictures
from tests.support.tiffs import LENGTH, LONG, tiff
from tests.unit.pictures import looks
from tests.unit.pictures.looks import inspect

UNSUPPORTED, CORRUPT = (415, "unsupported_image_type"), (422, "image_corrupt")
FLOAT = 3
SIDE = 16

ARITHMETIC = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7"
    "gYKBTmCNl4x9lnN+gXz/yQALCAAYABgBAREA/8wABgAQEAX/2gAIAQEAAD8A9djM62K6AuqlzwNgz2EC6FyJdf8A0P7+/AGA1Zf0"
    "0cj6wgOp7dAvLAocVG04np9WbnZ/DzFtr8eR91iFXz6GeDIE27jwDKvJeTTfMg3dBb2jEGJTCt8pMaOQF5zUcE7BouCJzYoYcngO"
    "jyp7ghS73aOSyu9+wacHtse/1XbEsgvCYkstmDKY6mk7yqVXGmcPkIDGLUD91+euddzQ+v3YEK3M79QmcEswZbvQAC/KSUlI8PDH"
    "g6jJNIGay98H0ebqDeZ8J6VMJw+m7MGXb3YEUPEWsjQR3rhMhfqCdAsChP/Z"
)
"""24 x 24 gray pixels in arithmetic coding, which Pillow cannot write."""


def jpeg_with_frame(marker: int, bits: int = 8) -> bytes:
    """A JPEG that declares another compression; the rest is unchanged."""
    data = bytearray(pictures.jpeg())
    frame = data.index(b"\xff\xc0\0\x11")
    data[frame + 1], data[frame + 4] = marker, bits
    return bytes(data)


def unknown_tiff(size: int, order: str = "<", **tags: Any) -> bytes:
    """A TIFF with ``size`` bytes per pixel."""
    return tiff(SIDE, SIDE, bytes(SIDE * SIDE * size), order, **tags)


TIFFS = {
    "float RGB": unknown_tiff(12, bits=32, samples=3, photometric=2, sample_format=FLOAT),
    "half-float RGB": unknown_tiff(6, bits=16, samples=3, photometric=2, sample_format=FLOAT),
    "64-bit float": unknown_tiff(8, bits=64, sample_format=FLOAT),
    "16-bit grey and alpha": unknown_tiff(4, bits=16, samples=2, extra_samples=2),
    "Lab and alpha": unknown_tiff(4, samples=4, photometric=8, extra_samples=2),
    "big-endian": unknown_tiff(8, ">", bits=64, sample_format=FLOAT),
    "unknown compression": unknown_tiff(1, compression=34_887),
}
KNOWN_WITHOUT_LAST_TAGS = ("half-float RGB", "16-bit grey and alpha")


def refusal(data: bytes) -> tuple[int, str]:
    return looks.refusal(inspect, data)


def test_arithmetic_coding(monkeypatch: pytest.MonkeyPatch) -> None:
    """libjpeg can decode it only if all data (up to 64 KB) is in one buffer."""
    assert inspect(ARITHMETIC).width == 24
    monkeypatch.setattr(ImageFile, "MAXBLOCK", 64)
    frame = ARITHMETIC.index(b"\xff\xc9")
    padded = ARITHMETIC[:frame] + b"\xff" * 5 + ARITHMETIC[frame:]
    for data in (ARITHMETIC, ARITHMETIC + bytes(1000), padded):
        assert refusal(data) == UNSUPPORTED
    for cut in (1, 2, 100, len(ARITHMETIC) - 30):
        assert refusal(ARITHMETIC[:-cut]) == CORRUPT


@pytest.mark.parametrize(
    ("marker", "bits"), [*((0xC0 + kind, 8) for kind in (5, 6, 7, 10, 11, 13, 14, 15)), (0xC1, 12)]
)
def test_other_kinds_of_jpeg(marker: int, bits: int) -> None:
    assert refusal(jpeg_with_frame(marker, bits)) == UNSUPPORTED


@pytest.mark.parametrize("name", TIFFS)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_tiff_in_a_mode_that_is_not_known(name: str) -> None:
    data = TIFFS[name]
    assert refusal(data) == UNSUPPORTED
    length = data.rindex(struct.pack(">HHI" if data.startswith(b"MM") else "<HHI", LENGTH, LONG, 1)) + 8
    assert refusal(data[:length] + b"\1\1\1\1" + data[length + 4 :]) == CORRUPT, "pixels are missing"
    # All pixels are there, and perhaps the tags that locate them.
    for end in [*range(8, 40), *range(len(data) - 180, len(data))]:
        if name not in KNOWN_WITHOUT_LAST_TAGS:
            assert refusal(data[:end]) == CORRUPT, end


def test_webp_in_a_tiff() -> None:
    pixels = pictures.encode(Image.new("RGBA", (SIDE, SIDE), (9, 200, 30, 100)), "WEBP", lossless=True)
    data = tiff(SIDE, SIDE, pixels, compression=50_001, samples=4, photometric=2, extra_samples=2)
    assert refusal(data) == UNSUPPORTED
    assert refusal(data[:-1]) == CORRUPT


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_broken_pixels_and_an_offset_of_pixels_that_is_not_a_number() -> None:
    """The offset has type 7 (bytes)."""
    assert refusal(tiff(SIDE, SIDE, b"no LZW at all", compression=5)) == CORRUPT
    data = TIFFS["float RGB"].replace(struct.pack("<HHI", 273, 4, 1), struct.pack("<HHI", 273, 7, 4))
    assert data != TIFFS["float RGB"]
    assert refusal(data) == CORRUPT


@pytest.mark.parametrize(("data", "name"), [(jpeg_with_frame(0xCA), "JPEG"), (TIFFS["float RGB"], "TIFF")])
def test_the_message_names_the_format(data: bytes, name: str) -> None:
    with pytest.raises(AppError, match=f"^This kind of {name} is not supported"):
        inspect(data)
