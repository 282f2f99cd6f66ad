"""One emulated AWS and one built template for all tests here. They take two minutes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.cloud import EMULATOR_PYTHON, Cloud, Stack
from tests.support.aws import find_endpoint


@dataclass(frozen=True)
class Deployed:
    """The stack that most tests use."""

    cloud: Cloud
    stack: Stack
    parameters: dict[str, str]
    api_key: str
    first_output: str
    second_output: str


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    if not EMULATOR_PYTHON.exists() and not find_endpoint():
        pytest.fail("ministack is not installed: run `make test-deploy`.", pytrace=False)
    cloud = Cloud(tmp_path_factory.mktemp("cloud"))
    try:
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture(scope="session")
def build(cloud: Cloud) -> Path:
    """The output folder of ``sam build``."""
    return cloud.build()


@pytest.fixture(scope="session")
def deployed(cloud: Cloud, build: Path) -> Deployed:
    """Deploy the stack, then update it with the address for links, which contains the API's id."""
    name = "image-api"
    # All options that cost money.
    parameters = {
        "Alarms": "true",
        "AlarmEmail": "someone@example.com",
        "Versioning": "true",
        "Webhooks": "true",
    }
    first = cloud.deploy(build, name, parameters)
    stack = cloud.describe(name)
    parameters["PublicBaseUrl"] = stack.base_url
    second = cloud.deploy(build, name, parameters)
    return Deployed(cloud, stack, parameters, cloud.api_key(name), first, second)
