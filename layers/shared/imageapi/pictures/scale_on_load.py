"""Scaling on load: the JPEG decoder can halve the sides of an image up to three times."""

from PIL import Image


def scale_to_fill(size: tuple[int, int], target: tuple[int, int]) -> tuple[int, int]:
    """The smallest size of an image that covers the target."""
    scale = max(target[0] / size[0], target[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def load_at_scale(image: Image.Image, wanted: tuple[int, int]) -> tuple[int, int]:
    """Decode an image; a JPEG at the smallest scale that is not smaller than ``wanted``.

    Returns:
        The full size as stored. For a TIFF, the size after Pillow has turned it upright.
    """
    size = image.size
    image.draft(None, wanted)
    image.load()
    return image.size if image.format == "TIFF" else size
