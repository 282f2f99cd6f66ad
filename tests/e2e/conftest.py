"""The service under test: the one at BASE_URL with API_KEY, or one started and stopped here.

The service may already have images and other users. No test may rely on their absence.
"""

import os
from collections.abc import Iterator

import pytest

from tests import ROOT
from tests.e2e.client import Api
from tests.integration.run import Run

API_KEY = "your-api-key-here"


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    base_url = os.environ.get("BASE_URL")
    if base_url:
        yield Api(base_url, os.environ.get("API_KEY") or API_KEY)
        return
    run = Run(tmp_path_factory.mktemp("e2e") / "data", ROOT / "template.yaml", {"API_KEY": API_KEY})
    try:
        yield Api(run.info["base_url"], API_KEY)
    finally:
        run.stop()
