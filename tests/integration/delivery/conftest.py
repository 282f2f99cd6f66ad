"""An image whose variants have not been rendered yet."""

import pytest

from tests.integration.client import Json, upload
from tests.integration.stores import Stores
from tests.support import pictures

PICTURE = pictures.jpeg(800, 600)


@pytest.fixture
def image(stores: Stores) -> Json:
    return upload(PICTURE, {"title": "x"}, filename="港.jpg").image
