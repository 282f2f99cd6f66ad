"""samconfig.toml's parameters are the template's, with values that CloudFormation takes."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from dotenv import dotenv_values

from tests.support.templates import MAIN, ROOT, find, read_template

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
def test_sam_local_has_the_values_of_the_example(command: str) -> None:
    """SAM CLI sets only variables that the template has. What only AWS can resolve has to be empty."""
    path = CONFIG["default"][command]["parameters"]["env_vars"]
    values = json.loads((ROOT / path).read_text(encoding="utf-8"))["Parameters"]
    template = read_template(MAIN)
    declared = {
        name: value
        for function in [template["Globals"]["Function"], *find(MAIN, "AWS::Lambda::Function").values()]
        for name, value in function.get("Environment", {}).get("Variables", {}).items()
    }
    assert values.keys() <= declared.keys()
    made = {
        name
        for name, value in declared.items()
        if re.search(r"GetAtt|Outputs|StackName|AWS::Region", str(value))
    }
    assert made - values.keys() <= {
        "DISTRIBUTION_ID",
        "MANAGE_FUNCTION",
        "ANALYSIS_QUEUE_URL",
    }
    example = dotenv_values(ROOT / ".env.example")
    same = values.keys() & example.keys() - {"DB_HOST", "MINIO_ENDPOINT_URL"}
    assert len(same) == 7
    assert {name: values[name] for name in same} == {name: example[name] for name in same}
