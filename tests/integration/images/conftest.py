"""An image with or without a variant, and several images."""

import pytest

from tests.integration.client import Json, upload
from tests.integration.images.examples import METADATA, PICTURE
from tests.integration.lifecycle import fetch
from tests.integration.stores import Stores

WEBP = "image/webp"
REMOVAL = "storage.s3.delete_objects"


@pytest.fixture
def image(stores: Stores) -> Json:
    return upload(PICTURE, METADATA).image


@pytest.fixture
def viewed(stores: Stores, image: Json) -> Json:
    """An image with a variant."""
    assert fetch(image["urls"]["thumbnail"], WEBP).status == 200
    return image


@pytest.fixture
def ids(stores: Stores) -> list[str]:
    """Three images, the newest first."""
    return [upload(PICTURE, METADATA).image["id"] for _ in range(3)][::-1]
