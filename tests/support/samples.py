"""The sample pictures: those that the service accepts, and those that it refuses."""

import lzma
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from tests.support import pictures

ALL_GOOD: dict[str, Callable[[], bytes]] = {
    "jpeg": pictures.jpeg,
    "jpeg_camera": pictures.camera_jpeg,
    **{f"jpeg_orientation_{n}": partial(pictures.jpeg, orientation=n, gps=True) for n in range(1, 9)},
    "jpeg_progressive": partial(pictures.jpeg, progressive=True),
    "jpeg_grey": partial(pictures.jpeg, mode="L"),
    "jpeg_cmyk": partial(pictures.jpeg, mode="CMYK"),
    "jpeg_mpo": partial(pictures.animation, "MPO", 2),
    "png": pictures.png,
    "png_one_bit": partial(pictures.png, mode="1"),
    "png_alpha": partial(pictures.png, mode="RGBA"),
    "png_16_bit": pictures.png_16_bit,
    "png_palette_transparent": pictures.png_palette_transparent,
    "heif": pictures.heif,
    "heif_alpha": partial(pictures.heif, mode="RGBA"),
    "heif_rotated": pictures.heif_rotated,
    "heif_several": partial(pictures.heif, images=3),
    "heif_generic_brand": lambda: pictures.with_brand(pictures.heif(), b"mif1"),
    "heif_tiles": lambda: (pictures.FIXTURES / "tiles.heic").read_bytes(),
    "heif_sequence": lambda: (pictures.FIXTURES / "sequence.heics").read_bytes(),
    "avif_generic_brand": lambda: pictures.with_brand(pictures.still("AVIF"), b"mif1"),
    **{format.lower(): partial(pictures.still, format) for format in ("GIF", "WEBP", "AVIF", "BMP", "TIFF")},
    **{
        f"{format.lower()}_animated": partial(pictures.animation, format)
        for format in ("PNG", "GIF", "WEBP", "AVIF")
    },
    "tiff_pages": partial(pictures.animation, "TIFF"),
}
"""Name → a function that builds the file. The service accepts all of them."""


class Facts(NamedTuple):
    """Facts that the service must detect in a good picture."""

    mime_type: str
    extension: str
    width: int
    height: int
    frames: int


def facts(name: str) -> Facts:
    """The expected facts of ``ALL_GOOD[name]``."""
    format = name.split("_")[0]
    frames = 3 if name.endswith(("_animated", "_pages")) else 1
    format = {"heif": "heic"}.get(format, format)
    return Facts(f"image/{format}", {"jpeg": "jpg", "tiff": "tif"}.get(format, format), 64, 48, frames)


_NOT_AN_IMAGE = (415, "unsupported_image_type")
_CORRUPT = (422, "image_corrupt")
_TOO_LARGE = (422, "too_many_pixels")

BAD: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "text": (lambda: pictures.TEXT, *_NOT_AN_IMAGE),
    "html": (lambda: pictures.HTML, *_NOT_AN_IMAGE),
    "svg": (lambda: pictures.SVG, *_NOT_AN_IMAGE),
    "pdf": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", *_NOT_AN_IMAGE),
    "ico": (partial(pictures.still, "ICO"), *_NOT_AN_IMAGE),
    "heif_other_codec": (lambda: pictures.with_brand(pictures.still("AVIF"), b"heic"), *_NOT_AN_IMAGE),
    "jpeg_magic_only": (lambda: b"\xff\xd8\xff\xe0", *_CORRUPT),
    **{
        f"{format.lower()}_truncated": (partial(pictures.truncated_noise, format), *_CORRUPT)
        for format in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF")
    },
    "heif_truncated": (lambda: pictures.truncated(pictures.heif()), *_CORRUPT),
    "heif_tile_missing": (pictures.heif_without_tile, *_CORRUPT),
    "heif_called_avif": (lambda: pictures.with_brand(pictures.heif(), b"avif"), *_CORRUPT),
    "heif_smaller_than_declared": (partial(pictures.heif_of_size, 500, 400), *_CORRUPT),
    "heif_huge_before_cropping": (pictures.heif_huge_before_cropping, *_TOO_LARGE),
    "heif_many_images": (
        lambda: lzma.decompress((pictures.FIXTURES / "many.heic.xz").read_bytes()),
        *_CORRUPT,
    ),
    "jpeg_progressive_truncated": (
        lambda: pictures.truncated(pictures.jpeg(600, 400, progressive=True), 0.9),
        *_CORRUPT,
    ),
    "png_wrong_checksum_pixels": (partial(pictures.png_wrong_checksum, b"IDAT"), *_CORRUPT),
    "png_wrong_checksum_header": (partial(pictures.png_wrong_checksum, b"IHDR"), *_CORRUPT),
    "png_without_pixels": (partial(pictures.png_header_only, 600, 400), *_CORRUPT),
    "webp_animated_truncated": (lambda: pictures.truncated(pictures.animation("WEBP"), 0.9), *_CORRUPT),
    "png_header_huge": (partial(pictures.png_header_only, 30_000, 30_000), *_TOO_LARGE),
    "heif_too_large": (partial(pictures.heif_of_size, 8_000, 7_000), *_TOO_LARGE),
    "heif_huge": (partial(pictures.heif_of_size, 60_000, 60_000), *_TOO_LARGE),
    "png_too_wide": (partial(pictures.png_header_only, 70_000, 1), *_TOO_LARGE),
    "png_bomb": (pictures.png_bomb, *_TOO_LARGE),
    "bmp_header_huge": (partial(pictures.bmp_header_only, 30_000, 30_000), *_TOO_LARGE),
    "gif_too_many_frames": (partial(pictures.animation, "GIF", 2_001, 1, 1), 422, "too_many_frames"),
}
"""Name → (a function that builds the file, the HTTP status and code of the refusal)."""
