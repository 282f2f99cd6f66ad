"""The image of these tests, and its fields that they compare."""

from tests.integration.client import Json
from tests.integration.lifecycle import get_image
from tests.support import pictures

PICTURE = pictures.jpeg(400, 300)
NOWHERE = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"
METADATA = {"title": "夕焼け", "description": "海", "category": "風景", "tags": ["海", "空"]}


def etag_of(image_id: str) -> str:
    return get_image(image_id).headers["etag"][0]


def shown(image: Json) -> Json:
    """The image without its links, which change over time."""
    return {key: value for key, value in image.items() if key not in ("urls", "variants")}
