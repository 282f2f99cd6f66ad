"""Real pictures, created with Pillow, and broken or hostile ones derived from them.

Every good picture displays four quadrants (red, green / blue, white), so that a test can check its
orientation. Sizes are those displayed: with ``orientation``, the stored pixels are rotated.
"""

import io
import random
import struct
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import ExifTags, Image, PngImagePlugin

from tests.support.pngs import assemble_png, compress_zeros

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 160, 60), (30, 60, 220), (250, 250, 250)
FIXTURES = Path(__file__).parents[1] / "fixtures/pictures"
"""Tiles and a sequence, which only heif-enc of libheif can write; and a file of 1,200 images."""
MAX_PIXELS = 100_000_000  # the service's default

STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How to store a picture so that a viewer that applies this EXIF orientation displays it upright."""


def quadrants(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Red, green / blue, white."""
    image = Image.frombytes("RGB", (2, 2), bytes(RED + GREEN + BLUE + WHITE))
    return image.resize((width, height), Image.Resampling.NEAREST).convert(mode)


def encode(image: Image.Image, format: str, **options: Any) -> bytes:
    """Encode the picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def jpeg(
    width: int = 64,
    height: int = 48,
    *,
    orientation: int | None = None,
    exif: dict[int, Any] | None = None,
    exif_details: dict[int, Any] | None = None,
    gps: bool = False,
    progressive: bool = False,
    mode: str = "RGB",
    seed: object = None,
) -> bytes:
    """A JPEG; ``seed`` makes the bytes differ, but not the pixels. For EXIF see :func:`make_exif`."""
    image = quadrants(width, height, mode)
    if orientation in STORED:
        image = image.transpose(STORED[orientation])
    options: dict[str, Any] = {"quality": 90, "progressive": progressive}
    if orientation is not None or exif or exif_details or gps:
        options["exif"] = make_exif(orientation, exif, exif_details, gps)
    if seed is not None:
        options["comment"] = str(seed)
    return encode(image, "JPEG", **options)


def make_exif(
    orientation: int | None = None,
    base: dict[int, Any] | None = None,
    details: dict[int, Any] | None = None,
    gps: bool = False,
) -> Image.Exif:
    """An EXIF block.

    Args:
        orientation: 1 to 8.
        base: tags of the main directory (``ExifTags.Base``), for example Make and Model.
        details: tags of the Exif directory, for example DateTimeOriginal and FNumber.
        gps: with a position, in Tokyo.
    """
    exif = Image.Exif()
    exif.update(base or {})
    if orientation is not None:
        exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif).update(details or {})
    if gps:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(
            {
                ExifTags.GPS.GPSLatitudeRef: "N",
                ExifTags.GPS.GPSLatitude: (35.0, 39.0, 31.0),
                ExifTags.GPS.GPSLongitudeRef: "E",
                ExifTags.GPS.GPSLongitude: (139.0, 44.0, 44.0),
            }
        )
    return exif


@lru_cache(maxsize=2)
def large_jpeg(orientation: int | None = None) -> bytes:
    """A JPEG of 4.3 megapixels: large enough for an intermediate."""
    return jpeg(2_400, 1_800, orientation=orientation, gps=True)


def camera_jpeg() -> bytes:
    """A JPEG as from a camera: orientation 6 (rotated), with make, lens, time, exposure and position."""
    return jpeg(
        orientation=6,
        gps=True,
        exif={ExifTags.Base.Make: "Canon", ExifTags.Base.Model: "Canon EOS R6"},
        exif_details={
            ExifTags.Base.DateTimeOriginal: "2026:04:01 09:30:15",
            ExifTags.Base.OffsetTimeOriginal: "+09:00",
            ExifTags.Base.LensModel: "RF50mm F1.8 STM",
            ExifTags.Base.ExposureTime: 0.004,
            ExifTags.Base.FNumber: 2.8,
            ExifTags.Base.ISOSpeedRatings: 400,
            ExifTags.Base.FocalLength: 50.0,
        },
    )


def jpeg_with_exif_block(block: bytes) -> bytes:
    """A good JPEG with arbitrary bytes as its EXIF (including ``b"Exif\\0\\0"``)."""
    data = jpeg()
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


def jpeg_of_size(size: int, **options: Any) -> bytes:
    """A complete JPEG of exactly ``size`` bytes, padded after its end, which decoders ignore."""
    data = jpeg(**options)
    return data + bytes(size - len(data))


def png(
    width: int = 64, height: int = 48, *, mode: str = "RGB", seed: object = None, **options: Any
) -> bytes:
    """A PNG; ``seed`` as for :func:`jpeg`."""
    if seed is not None:
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", str(seed))
        options["pnginfo"] = info
    return encode(quadrants(width, height, mode), "PNG", **options)


def png_16_bit(**options: Any) -> bytes:
    """A 16-bit gray PNG: brighter to the right, all in the upper half of the range."""
    image = Image.new("I;16", (64, 48))
    image.putdata([32_768 + x * 500 for _ in range(48) for x in range(64)])
    return encode(image, "PNG", **options)


def png_palette_transparent() -> bytes:
    """A PNG with a palette and one transparent color."""
    return encode(quadrants().quantize(4), "PNG", transparency=0)


def animation(format: str, frames: int = 3, width: int = 64, height: int = 48, **options: Any) -> bytes:
    """An animation (GIF, PNG, WEBP, AVIF), several pages (TIFF), or the several pictures of an MPO."""
    first = quadrants(width, height)
    more = [Image.new("RGB", (width, height), (40 * n % 256, n % 256, 90)) for n in range(1, frames)]
    return encode(first, format, save_all=True, append_images=more, **options)


def still(format: str, **options: Any) -> bytes:
    """A plain picture in a format."""
    return encode(quadrants(), format, **options)


def heif(width: int = 64, height: int = 48, *, mode: str = "RGB", images: int = 1, **options: Any) -> bytes:
    """A HEIC; with several ``images``, of which the first is the primary one."""
    file = pillow_heif.from_pillow(quadrants(width, height, mode))
    for number in range(1, images):
        file.add_from_pillow(Image.new(mode, (width, height), (40 * number % 256, 60, 90)))
    return encode_heif(file, **options)


def encode_heif(file: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    file.save(buffer, **{"quality": 90, "chroma": 444, **options})
    return buffer.getvalue()


def heif_rotated() -> bytes:
    """A HEIC that is stored rotated, says so in ``irot`` and in EXIF, and must be rotated once."""
    image = pillow_heif.from_pillow(quadrants().transpose(STORED[6]))
    return encode_heif(image, exif=make_exif(6, {ExifTags.Base.Model: "Phone"}).tobytes())


def heif_of_size(width: int, height: int) -> bytes:
    """A HEIC of 64 x 64 pixels that declares another size."""
    data = bytearray(heif(64, 64))
    struct.pack_into(">II", data, data.index(b"ispe") + 8, width, height)
    return bytes(data)


def heif_without_tile() -> bytes:
    """A HEIC of four tiles, the last of which it does not contain."""
    data = bytearray((FIXTURES / "tiles.heic").read_bytes())
    references = data.index(b"dimg") + 8  # then the numbers of the tiles
    struct.pack_into(">H", data, references + 6, 99)
    return bytes(data)


def heif_huge_before_cropping() -> bytes:
    """A HEIC that declares 60,000 x 60,000 pixels, of which 64 x 48 are shown."""
    data = bytearray(heif())
    struct.pack_into(">II", data, data.index(b"ispe") + 8, 60_000, 60_000)
    return bytes(data)


def with_brand(data: bytes, brand: bytes) -> bytes:
    """An AVIF or HEIC with another major brand."""
    return data[:8] + brand + data[12:]


def png_header_only(width: int, height: int) -> bytes:
    """A PNG that claims a size and contains almost nothing."""
    return assemble_png(width, height, 8, 2, zlib.compress(b"\0" * 64))


@lru_cache(maxsize=2)
def png_bomb(side: int = 11_000) -> bytes:
    """A complete, valid black square with one bit per pixel: 15 KB that decode to 121 MB."""
    return assemble_png(side, side, 1, 0, compress_zeros(side * (1 + (side + 7) // 8)))


def png_wrong_checksum(chunk: bytes) -> bytes:
    """A PNG that is valid except for the checksum of this chunk (``b"IHDR"``, ``b"IDAT"``)."""
    data = bytearray(png())
    start = data.index(chunk)
    data[start + 4 + int.from_bytes(data[start - 4 : start], "big")] ^= 0xFF
    return bytes(data)


def truncated(data: bytes, keep: float = 0.6) -> bytes:
    """The first part of a file."""
    return data[: int(len(data) * keep)]


def noisy(format: str, side: int = 96) -> bytes:
    """An incompressible picture: most of the file is pixels."""
    pixels = random.Random(1).randbytes(side * side * 3)
    return encode(Image.frombytes("RGB", (side, side), pixels), format)


def truncated_noise(format: str) -> bytes:
    return truncated(noisy(format))


def bmp_header_only(width: int, height: int) -> bytes:
    """A BMP that claims a size and contains no pixels."""
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML, TEXT = b"<!DOCTYPE html><script>alert(1)</script>", "ただの文字です。\n".encode()
