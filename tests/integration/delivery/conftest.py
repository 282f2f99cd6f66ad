"""An image whose variants have not been rendered yet."""

from typing import Any

import pytest

from tests.integration.client import upload
from tests.integration.stores import Stores
from tests.support import pictures

PICTURE = pictures.jpeg(800, 600)


@pytest.fixture
def image(stores: Stores) -> dict[str, Any]:
    return upload(PICTURE, {"title": "x"}, filename="港.jpg").image
