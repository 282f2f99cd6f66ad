"""What the service knows about an image file. Pure."""

from dataclasses import dataclass
from typing import Any

MAX_SIDE = 65_535
"""The longest side, in pixels: JPEG's maximum."""
MAX_FRAMES = 2_000


@dataclass(frozen=True)
class Picture:
    """An image that decoded completely.

    Attributes:
        width, height: pixels as a viewer sees them, after the EXIF orientation.
        frames: 1 for a still image, otherwise the number of frames or pages, without the default image of a
            PNG (for viewers without animation).
        exif: without GPS: ``camera``, ``lens``, ``taken_at`` (ISO 8601, with an offset only if the camera
            recorded one), ``orientation`` (1 to 8), ``exposure_time`` (seconds), ``f_number``, ``iso``,
            ``focal_length`` (millimeters). Missing fields are omitted.
        placeholder: the image at 16 pixels, as a ``data:`` URL of about 150 characters.
        intermediate: a JPEG for rendering small variants (see ``pictures.intermediate``), for large images
            only.
    """

    width: int
    height: int
    frames: int
    exif: dict[str, Any]
    placeholder: str
    intermediate: bytes | None = None
