"""What becomes of a stack: updated with nothing to change, changed, and deleted."""

from pathlib import Path

import pytest

from tests.deploy.cloud import Cloud
from tests.deploy.conftest import API_KEY, Deployed
from tests.e2e.client import Api

KEYS = {"ApiKey": API_KEY, "SecretKey": "a-signing-key-of-the-tests"}


def test_deployed_from_nothing(deployed: Deployed) -> None:
    assert "Successfully created/updated stack" in deployed.first_output


def test_an_update_with_a_change(deployed: Deployed) -> None:
    assert "Successfully created/updated stack" in deployed.second_output
    assert deployed.cloud.status(deployed.stack.name) == "UPDATE_COMPLETE"


def test_an_update_without_a_change(deployed: Deployed, build: Path) -> None:
    output = deployed.cloud.deploy(build, deployed.stack.name, **KEYS, PublicBaseUrl=deployed.stack.base_url)

    assert "No changes to deploy" in output


@pytest.fixture
def other(cloud: Cloud, build: Path) -> str:
    """A stack of this test's own."""
    cloud.deploy(build, "other", **KEYS)
    return "other"


def test_a_new_key_and_the_end(cloud: Cloud, build: Path, other: str) -> None:
    url = cloud.describe(other).base_url
    assert Api(url, API_KEY).get("/api/images").status == 200

    cloud.deploy(build, other, **KEYS | {"ApiKey": "another-key-of-the-tests"})

    assert Api(url, API_KEY).get("/api/images").status == 401
    assert Api(url, "another-key-of-the-tests").get("/api/images").status == 200

    cloud.sam("delete", "--stack-name", other, "--no-prompts", "--region", "us-east-1")

    assert cloud.status(other) in ("", "DELETE_COMPLETE")
    names = [function["FunctionName"] for function in cloud.client("lambda").list_functions()["Functions"]]
    assert not [name for name in names if name.startswith("other-")]
    buckets = [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
    assert "other-images-000000000000" in buckets, "images outlive their stack"
