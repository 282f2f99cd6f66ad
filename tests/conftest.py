"""State that every test restores."""

from collections.abc import Iterator

import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def pillow_limit() -> Iterator[None]:
    """For each picture, the service sets Pillow's own limit, which holds for the whole process."""
    limit = Image.MAX_IMAGE_PIXELS
    yield
    Image.MAX_IMAGE_PIXELS = limit
