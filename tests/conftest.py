"""What every test leaves as it found it."""

from collections.abc import Iterator

import pytest
from PIL import Image


@pytest.fixture(autouse=True)
def pillow_limit() -> Iterator[None]:
    """The service sets Pillow's own limit for each picture, for the whole process."""
    limit = Image.MAX_IMAGE_PIXELS
    yield
    Image.MAX_IMAGE_PIXELS = limit
