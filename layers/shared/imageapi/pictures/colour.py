"""Convert from an image's ICC profile or gamma to sRGB, which every browser assumes."""

import io
from typing import Any

from PIL import Image, ImageCms

from imageapi.pictures.pixel_formats import gamma_to_srgb


def to_srgb(image: Image.Image, info: dict[Any, Any]) -> Image.Image:
    """Convert from the image's ICC profile or gamma. Shrink it first: that makes the conversion cheap.

    Args:
        info: ``Image.info`` as opened. Any key may hold PNG text, or a TIFF tag of the wrong type.
    """
    profile = info.get("icc_profile")
    profile = profile if isinstance(profile, bytes) else None
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    colours = image.convert(image.mode.rstrip("A")) if alpha else image
    converted = _apply_profile(colours, profile) if profile else None
    result = converted or colours.convert("RGB")
    if curve := None if profile else gamma_to_srgb(info):
        result = result.point(curve * 3)
    if alpha is not None:
        result.putalpha(alpha)
    return result


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert to sRGB. Returns None if the profile is broken or for another mode, and must be ignored."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
