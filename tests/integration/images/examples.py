"""The image of these tests, and its fields that they compare."""

from typing import Any

from tests.integration.lifecycle import get_image
from tests.support import pictures

PICTURE = pictures.jpeg(400, 300)
METADATA = {"title": "夕焼け", "description": "海", "category": "風景", "tags": ["海", "空"]}


def etag_of(image_id: str) -> str:
    return get_image(image_id).headers["etag"][0]


def shown(image: dict[str, Any]) -> dict[str, Any]:
    """The image without its links, which change over time."""
    return {key: value for key, value in image.items() if key not in ("urls", "variants")}
