"""samconfig.toml's parameters are the template's, with values that CloudFormation takes."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.templates import MAIN, ROOT, read_template

CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
STAGES = ["default", "dev", "prod"]


def overrides(section: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for text in section.get("parameter_overrides", []):
        name, _, value = text.partition("=")
        yield name, value


@pytest.mark.parametrize("stage", STAGES)
def test_a_deploy_has_the_parameters_of_the_template(stage: str) -> None:
    parameters = read_template(MAIN)["Parameters"]
    for name, value in overrides(CONFIG[stage]["deploy"]["parameters"]):
        parameter = parameters[name]
        assert value in map(str, parameter.get("AllowedValues", [value])), name
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value), name


@pytest.mark.parametrize("stage", STAGES)
def test_a_deploy_may_make_roles_and_expand_the_template(stage: str) -> None:
    capabilities = CONFIG[stage]["deploy"]["parameters"]["capabilities"].split()
    assert capabilities == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


@pytest.mark.parametrize("command", ["local_start_api", "local_invoke"])
def test_sam_local_names_what_it_verifies(command: str) -> None:
    """SAM CLI does not apply AllowedPattern: the keys of .env.example are shorter than AWS's may be."""
    values = dict(overrides(CONFIG["default"][command]["parameters"]))
    assert values.keys() <= read_template(MAIN)["Parameters"].keys()
    assert values["DatabaseSslMode"] == "disable"
