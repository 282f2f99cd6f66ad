"""One emulated AWS and one built template for all tests here. Takes two minutes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.cloud import EMULATOR_PYTHON, Cloud, Stack

API_KEY = "an-api-key-of-the-tests"


@dataclass(frozen=True)
class Deployed:
    """The stack that most tests speak to."""

    cloud: Cloud
    stack: Stack
    first_output: str
    second_output: str


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    if not EMULATOR_PYTHON.exists():
        pytest.fail("ministack is not installed: run `make test-deploy`.", pytrace=False)
    cloud = Cloud(tmp_path_factory.mktemp("cloud"))
    try:
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture(scope="session")
def build(cloud: Cloud) -> Path:
    """``sam build``: the folder with what is deployed."""
    return cloud.build()


@pytest.fixture(scope="session")
def deployed(cloud: Cloud, build: Path) -> Deployed:
    """Deployed from nothing, then updated: links need the emulator's address, which has the API's id in it."""
    name = "image-api"
    keys = {"ApiKey": API_KEY, "SecretKey": "a-signing-key-of-the-tests"}
    first = cloud.deploy(build, name, **keys)
    url = cloud.describe(name).base_url
    second = cloud.deploy(build, name, **keys, PublicBaseUrl=url)
    return Deployed(cloud, cloud.describe(name), first, second)
