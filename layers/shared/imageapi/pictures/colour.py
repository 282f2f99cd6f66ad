"""Convert from a picture's ICC profile or gamma to sRGB, which every browser assumes."""

import io
from typing import Any

from PIL import Image, ImageCms

from imageapi.pictures.pixel_formats import gamma_to_srgb


def to_srgb(image: Image.Image, info: dict[Any, Any]) -> Image.Image:
    """Convert from the picture's ICC profile or gamma; cheap once the picture is small.

    Args:
        info: ``Image.info`` as opened. It may also have PNG texts under any key, and TIFF tags of the wrong
            type.
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
    """Convert to sRGB; None, to ignore the profile, when it is broken or made for another mode."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
