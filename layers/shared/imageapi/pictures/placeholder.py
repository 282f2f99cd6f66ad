"""The placeholder: a tiny preview that a page shows until the image is loaded."""

import base64
import io

from PIL import Image

from imageapi.pictures.orientation import turn_upright
from imageapi.pictures.pixel_formats import grey_levels, is_deep, to_rgb

PLACEHOLDER_SIDE = 16


def make_placeholder(image: Image.Image, orientation: int) -> str:
    """The loaded image at 16 pixels, as a ``data:`` URL of about 150 characters."""
    levels = grey_levels(image) if is_deep(image) else None
    scale = max(1.0, max(image.size) / (PLACEHOLDER_SIDE * 4))
    # NEAREST first: it copies few pixels and works in every mode and for every size.
    small = image.resize(_scaled(image.size, scale), Image.Resampling.NEAREST)
    small = to_rgb(small, levels)
    small = small.resize(
        _scaled(small.size, max(1.0, max(small.size) / PLACEHOLDER_SIDE)), Image.Resampling.BOX
    )
    small = turn_upright(small, orientation)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=30, method=0, exif=b"", icc_profile=None)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def _scaled(size: tuple[int, int], divisor: float) -> tuple[int, int]:
    return max(1, round(size[0] / divisor)), max(1, round(size[1] / divisor))
