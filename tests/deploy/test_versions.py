"""A second deploy publishes only what it changed. The rules are tested in tests/unit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.cloud import Cloud
from tests.e2e.client import Api

STACK = "versions"
PUBLISHED = {"UploadFunction", "ListFunction", "ImageFunction", "DeliverFunction"}
KEYS = {
    "ApiKey": "an-api-key-of-the-tests-that-is-long",
    "SecretKey": "a-signing-key-of-the-tests-that-is-long",
}

CHANGE = """
unchanged = lambda_handler


def lambda_handler(event, context):
    return unchanged(event, context) | {"statusCode": 218}
"""


@pytest.fixture(scope="module")
def stack(cloud: Cloud, build: Path) -> Api:
    """Deployed once for all tests here; each changes it."""
    cloud.deploy(build, STACK, KEYS)
    return Api(cloud.describe(STACK).base_url, KEYS["ApiKey"])


@pytest.fixture
def changed_build(build: Path) -> Iterator[Path]:
    """The build, as if ListFunction's source had changed before it."""
    path = build / "ListFunction" / "app.py"
    source = path.read_text(encoding="utf-8")
    path.write_text(source + CHANGE, encoding="utf-8")
    yield build
    path.write_text(source, encoding="utf-8")


def live(cloud: Cloud) -> dict[str, str]:
    """The version of each alias. There is no other: the previous one is deleted."""
    client, found = cloud.client("lambda"), {}
    for name in PUBLISHED:
        function = cloud.physical_id(STACK, name)
        found[name] = str(client.get_alias(FunctionName=function, Name="live")["FunctionVersion"])
        versions = client.list_versions_by_function(FunctionName=function)["Versions"]
        assert [version["Version"] for version in versions] == ["$LATEST", found[name]]
    return found


def differences(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_one_changed_function(cloud: Cloud, stack: Api, changed_build: Path) -> None:
    before = live(cloud)
    assert stack.get("/api/images").status == 200

    cloud.deploy(changed_build, STACK, KEYS)

    assert differences(before, live(cloud)) == {"ListFunction"}
    assert stack.get("/api/images").status == 218


def test_nothing_but_parameters(cloud: Cloud, build: Path, stack: Api) -> None:
    before = live(cloud)

    cloud.deploy(build, STACK, KEYS | {"SnapStart": "PublishedVersions"})

    after = live(cloud)
    assert differences(before, after) == PUBLISHED
    client = cloud.client("lambda")
    for name in PUBLISHED:
        function = cloud.physical_id(STACK, name)
        configuration = client.get_function_configuration(FunctionName=function, Qualifier="live")
        assert configuration["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    assert stack.get("/api/images").status == 200

    cloud.deploy(build, STACK, KEYS | {"LogRetentionDays": "7"})

    assert live(cloud) == after, "the functions have not changed"
