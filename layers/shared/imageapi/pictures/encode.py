"""Encode pixels as WebP, AVIF or JPEG, without metadata."""

import io
from typing import Any

from PIL import Image

from imageapi.pictures.pixel_formats import to_rgb

QUALITY: dict[str, dict[str, Any]] = {
    "jpg": {"format": "JPEG", "quality": 82, "progressive": True, "optimize": True},
    "webp": {"format": "WEBP", "quality": 80, "method": 2},
    "avif": {"format": "AVIF", "quality": 60, "speed": 8},
    "intermediate": {"format": "JPEG", "quality": 90},
}
VP8X_ALPHA = 0x10
"""The alpha flag in the VP8X header of a WebP."""


def encode(image: Image.Image, extension: str) -> bytes:
    """Encode an image for a key of QUALITY. For ``jpg``, transparent parts become white."""
    if extension == "jpg":
        image = to_rgb(image)
    buffer = io.BytesIO()
    # Strip metadata: Pillow would copy EXIF, XMP, profile and comment from info.
    image.info.clear()
    image.save(buffer, exif=b"", **QUALITY[extension])
    return buffer.getvalue()


def encode_animation(frames: list[Image.Image], durations: list[int], plays: int) -> bytes:
    """Encode an animated WebP.

    Args:
        durations: the duration of each frame, in milliseconds.
        plays: number of plays; 0 means forever.
    """
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=plays,
        **QUALITY["webp"],
    )
    data = bytearray(buffer.getbuffer())
    is_transparent = any(frame.getchannel("A").getextrema()[0] != 255 for frame in frames)
    if is_transparent and data[12:16] == b"VP8X":
        # libwebp sets this flag only for subframes with alpha, not for a canvas that they do not cover.
        data[20] |= VP8X_ALPHA
    return bytes(data)
