"""The template with its options: valid, and what they are for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.options import WAITED_FOR, apply_options
from tests.deploy.cloud import Cloud
from tests.support.templates import MAIN, ROOT, expand_template

PUBLIC = {"/", "/docs", "/openapi.json", "/assets/{file}", "/health", "/images/{id}/{variant}", "/{proxy+}"}


@pytest.fixture(params=["alias", "snapstart"])
def optional(request: pytest.FixtureRequest) -> Iterator[Path]:
    """template.yaml with all options that go together; beside it, since it names folders."""
    path = ROOT / f"template.{request.param}.yaml"  # expand_template remembers by name
    options = [request.param, "usage-plan"]
    path.write_text(apply_options(MAIN.read_text(encoding="utf-8"), options), encoding="utf-8")
    yield path
    path.unlink()


def test_valid_without_a_warning(cloud: Cloud, optional: Path) -> None:
    cloud.sam("validate", "--lint", "--template-file", str(optional))


def test_what_clients_wait_for_is_published(optional: Path, request: pytest.FixtureRequest) -> None:
    resources = expand_template(optional)
    snapstart = {"ApplyOn": "PublishedVersions"} if "snapstart" in request.node.name else None
    for name in WAITED_FOR:
        assert resources[name]["Properties"].get("SnapStart") == snapstart
        assert resources[f"{name}Aliaslive"]["Properties"]["Name"] == "live"
    versions = [found for found in resources.values() if found["Type"] == "AWS::Lambda::Version"]
    assert len(versions) == len(WAITED_FOR)
    assert {found["DeletionPolicy"] for found in versions} == {"Delete"}, "each old snapshot costs"


def test_all_routes_but_the_public_ones_need_a_key_and_preflights_none(optional: Path) -> None:
    paths = expand_template(optional)["Api"]["Properties"]["Body"]["paths"]
    keyed = {
        path for path, methods in paths.items() if "security" in methods["x-amazon-apigateway-any-method"]
    }
    assert keyed == set(paths) - PUBLIC
    assert all("security" not in paths[path]["options"] for path in keyed)


def test_a_word_that_is_no_option() -> None:
    with pytest.raises(SystemExit, match="there are alias, snapstart, usage-plan"):
        apply_options("", ["nothing"])


def test_provisioned_concurrency_beside_snapstart_is_refused() -> None:
    with pytest.raises(SystemExit, match="takes no provisioned concurrency"):
        apply_options("", ["alias", "snapstart"])
