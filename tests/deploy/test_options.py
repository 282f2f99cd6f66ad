"""The template with its options: valid, and what they are for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.options import OPTIONS, apply_options
from tests.deploy.cloud import Cloud
from tests.support.templates import MAIN, ROOT, expand_template

PUBLIC = {"/", "/docs", "/openapi.json", "/assets/{file}", "/health", "/images/{id}/{variant}", "/{proxy+}"}


@pytest.fixture
def optional() -> Iterator[Path]:
    """template.yaml with every option; beside it, since it names folders."""
    path = ROOT / "template.options.yaml"
    path.write_text(apply_options(MAIN.read_text(encoding="utf-8"), list(OPTIONS)), encoding="utf-8")
    yield path
    path.unlink()


def test_valid_without_a_warning(cloud: Cloud, optional: Path) -> None:
    cloud.sam("validate", "--lint", "--template-file", str(optional))


def test_snapstart_publishes_an_alias_for_each_function(optional: Path) -> None:
    resources = expand_template(optional)
    functions = [name for name, found in resources.items() if found["Type"] == "AWS::Lambda::Function"]
    for name in functions:
        assert resources[name]["Properties"]["SnapStart"] == {"ApplyOn": "PublishedVersions"}
        assert resources[f"{name}Aliaslive"]["Properties"]["Name"] == "live"


def test_all_routes_but_the_public_ones_need_a_key_and_preflights_none(optional: Path) -> None:
    paths = expand_template(optional)["Api"]["Properties"]["Body"]["paths"]
    keyed = {
        path for path, methods in paths.items() if "security" in methods["x-amazon-apigateway-any-method"]
    }
    assert keyed == set(paths) - PUBLIC
    assert all("security" not in paths[path]["options"] for path in keyed)


def test_a_word_that_is_no_option() -> None:
    with pytest.raises(SystemExit, match="there are snapstart, usage-plan"):
        apply_options("", ["nothing"])
