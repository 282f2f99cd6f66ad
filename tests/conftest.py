"""State that every test restores."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

# A busy machine can pause any example.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def pillow_limit() -> Iterator[None]:
    """For each picture, the service sets Pillow's own limit, which holds for the whole process."""
    limit = Image.MAX_IMAGE_PIXELS
    yield
    Image.MAX_IMAGE_PIXELS = limit
