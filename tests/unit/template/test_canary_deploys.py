"""Canary deploys: what SAM makes of CanaryDeploys. The emulator has no CodeDeploy."""

import re
from collections.abc import Iterator
from functools import lru_cache
from graphlib import TopologicalSorter
from typing import Any

import pytest

from tests.support.templates import MAIN, ROOT, expand, find, read_template, walk

SHIFTED = ["UploadFunction", "ListFunction", "ImageFunction", "ImageFunction", "DeliverFunction"]


@lru_cache
def resources(canary: str) -> dict[str, Any]:
    template = read_template(MAIN)
    template["Parameters"]["CanaryDeploys"]["Default"] = canary
    return expand(template)


def names(kind: str) -> set[str]:
    return {name for name, resource in resources("true").items() if resource["Type"] == kind}


def test_without_them_the_alias_moves_at_once() -> None:
    assert not [name for name, it in resources("false").items() if "CodeDeploy" in it["Type"] + name]
    assert not [name for name in SHIFTED if "UpdatePolicy" in resources("false")[f"{name}Aliaslive"]]
    for name, alarm in resources("false").items():
        if alarm["Type"] == "AWS::CloudWatch::Alarm":
            assert alarm["Condition"] == "CanariesDeploys", name


@pytest.mark.parametrize("name", SHIFTED)
def test_codedeploy_shifts_the_alias_and_goes_back_on_an_alarm(name: str) -> None:
    alias, group = resources("true")[f"{name}Aliaslive"], resources("true")[f"{name}DeploymentGroup"]
    update = alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    assert update["DeploymentGroupName"] == {"Ref": f"{name}DeploymentGroup"}
    properties = group["Properties"]
    assert properties["DeploymentConfigName"]["Fn::Sub"][1] == {"ConfigName": "Canary10Percent5Minutes"}
    assert "DEPLOYMENT_STOP_ON_ALARM" in properties["AutoRollbackConfiguration"]["Events"]
    short = name.removesuffix("Function")
    watched = [alarm["Name"]["Ref"] for alarm in properties["AlarmConfiguration"]["Alarms"]]
    assert watched == [f"{short}CanaryErrors", f"{short}CanaryDuration", "CanaryServerErrors"]


def test_only_these_are_shifted_and_watched() -> None:
    assert names("AWS::CodeDeploy::DeploymentGroup") == {f"{name}DeploymentGroup" for name in SHIFTED}
    groups = [resources("true")[f"{name}DeploymentGroup"] for name in SHIFTED]
    watched = {
        alarm["Name"]["Ref"]
        for group in groups
        for alarm in group["Properties"]["AlarmConfiguration"]["Alarms"]
    }
    assert watched == names("AWS::CloudWatch::Alarm")


@pytest.mark.parametrize("name", SHIFTED)
def test_the_alarms_watch_the_new_version(name: str) -> None:
    """The one that the alias moves to; the previous version's errors say nothing about the deploy."""
    short, alias = name.removesuffix("Function"), resources("true")[f"{name}Aliaslive"]
    expected = {
        "FunctionName": {"Ref": name},
        "Resource": {"Fn::Sub": f"${{{name}}}:live"},
        "ExecutedVersion": alias["Properties"]["FunctionVersion"],
    }
    alarms = [resources("true")[f"{short}Canary{kind}"]["Properties"] for kind in ("Errors", "Duration")]
    for alarm in alarms:
        assert {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]} == expected
    assert alarms[1]["Threshold"] == find(MAIN, "AWS::Lambda::Function")[name]["Timeout"] * 1000 / 2


def test_the_alarms_have_their_part_in_the_runbook() -> None:
    runbook = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert "### Canary deploys\n" in runbook
    for name in names("AWS::CloudWatch::Alarm"):
        description = resources("true")[name]["Properties"]["AlarmDescription"]
        assert description.endswith("docs/operations.md#canary-deploys"), name


def references(resource: dict[str, Any]) -> Iterator[str]:
    depends_on = resource.get("DependsOn", [])
    yield from [depends_on] if isinstance(depends_on, str) else depends_on
    for part in walk([resource.get("Properties", {}), resource.get("UpdatePolicy", {})]):
        if isinstance(part, dict):
            yield from [part["Ref"]] if isinstance(part.get("Ref"), str) else []
            yield from part.get("Fn::GetAtt", [])[:1]
            yield from re.findall(r"\$\{(\w+)", str(part.get("Fn::Sub", "")))


def test_no_resource_waits_for_itself() -> None:
    graph = {name: set(references(it)) & resources("true").keys() for name, it in resources("true").items()}
    assert "ListCanaryErrors" in graph["ListFunctionDeploymentGroup"]
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("ListCanaryErrors") < order.index("ListFunctionAliaslive")


def test_codedeploy_may_move_aliases_and_no_more() -> None:
    role = resources("true")["CodeDeployServiceRole"]["Properties"]
    assert [policy.rpartition("/")[2] for policy in role["ManagedPolicyArns"]] == [
        "AWSCodeDeployRoleForLambda"
    ]
    assert "Policies" not in role
