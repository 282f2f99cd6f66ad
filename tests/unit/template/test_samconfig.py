"""samconfig.toml's parameters are the template's, with values that CloudFormation takes."""

import json
import re
import tomllib
from typing import Any

import pytest
from dotenv import dotenv_values

from tests.support.templates import MAIN, ROOT, find, read_template

CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("stage", ["default", "dev", "prod"])
def test_a_deploy_has_the_parameters_of_the_template(stage: str) -> None:
    config = CONFIG[stage]["deploy"]["parameters"]
    assert config["capabilities"].split() == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    for text in config.get("parameter_overrides", []):
        name, _, value = text.partition("=")
        parameter = read_template(MAIN)["Parameters"][name]
        assert value in map(str, parameter.get("AllowedValues", [value])), name
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value), name


@pytest.mark.parametrize("command", ["local_start_api", "local_invoke"])
def test_sam_local_has_the_values_of_the_example(command: str) -> None:
    """SAM CLI sets only variables that the template has. What only AWS can resolve has to be empty."""
    path = CONFIG["default"][command]["parameters"]["env_vars"]
    values = json.loads((ROOT / path).read_text(encoding="utf-8"))["Parameters"]
    functions = [read_template(MAIN)["Globals"]["Function"], *find(MAIN, "AWS::Lambda::Function").values()]
    declared: dict[str, Any] = {}
    for function in functions:
        declared |= function.get("Environment", {}).get("Variables", {})
    assert values.keys() <= declared.keys()
    only_aws = re.compile(r"GetAtt|Outputs|StackName|AWS::Region")
    made = {name for name, value in declared.items() if only_aws.search(str(value))}
    assert made - values.keys() <= {"DISTRIBUTION_ID", "MANAGE_FUNCTION", "ANALYSIS_QUEUE_URL"}
    example = dotenv_values(ROOT / ".env.example")
    same = values.keys() & example.keys() - {"DB_HOST", "MINIO_ENDPOINT_URL"}
    assert len(same) == 7
    assert {name: values[name] for name in same} == {name: example[name] for name in same}
