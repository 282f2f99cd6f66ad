"""samconfig.toml's parameters are the template's, with values that CloudFormation accepts."""

import re
import tomllib

import pytest

from tests.support.templates import MAIN, ROOT, read_template

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
