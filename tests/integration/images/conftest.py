"""An image for each test that asks for one."""

from typing import Any

import pytest

from tests.integration.client import upload
from tests.integration.images.examples import METADATA, PICTURE
from tests.integration.stores import Stores


@pytest.fixture
def image(stores: Stores) -> dict[str, Any]:
    """An existing image."""
    return upload(PICTURE, METADATA).image
