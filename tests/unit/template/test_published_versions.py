"""Which deploys publish a version of the functions that clients wait for, according to SAM's output."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.templates import MAIN, expand, expand_template, find, read_template, walk

PUBLISHED = ["UploadFunction", "ListFunction", "ImageFunction", "ImageFunction", "DeliverFunction"]
UNVERSIONED = {"ReservedConcurrentExecutions"}
"""Properties of a function that are not part of its versions."""

Template = dict[str, Any]


def versions(resources: dict[str, Any]) -> dict[str, str]:
    """The name of each function's version resource."""
    return {
        resource["Properties"]["FunctionName"]["Ref"]: name
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Version"
    }


def test_requests_reach_what_clients_wait_for_through_the_alias() -> None:
    resources = expand_template(MAIN)
    assert set(versions(resources)) == set(PUBLISHED)
    uris = [
        uri["Fn::Sub"]
        for uri in (value.get("uri") for value in walk(resources["Api"]) if isinstance(value, dict))
        if uri
    ]
    called = {match[1] for uri in uris if (match := re.search(r"functions/\$\{(\w+)", uri))}
    permitted = {value["FunctionName"]["Ref"] for value in find(MAIN, "AWS::Lambda::Permission").values()}
    for name in PUBLISHED:
        alias = resources[f"{name}Aliaslive"]["Properties"]
        assert alias["Name"] == "live"
        assert alias["FunctionVersion"] == {"Fn::GetAtt": [versions(resources)[name], "Version"]}
        assert f"{name}Aliaslive" in called & permitted
        assert name not in called | permitted


def test_the_version_before_is_deleted() -> None:
    """Lambda charges for each snapshot kept, and stores the code of each version."""
    for version in versions(expand_template(MAIN)).values():
        assert expand_template(MAIN)[version]["DeletionPolicy"] == "Delete"
        assert expand_template(MAIN)[version]["UpdateReplacePolicy"] == "Delete"


def change_code(template: Template) -> None:
    template["Resources"]["ListFunction"]["Properties"]["CodeUri"] = "functions/changed"


def change_variables_of_one(template: Template) -> None:
    template["Resources"]["DeliverFunction"]["Properties"]["Environment"]["Variables"]["NEW"] = "1"


def change_timeout(template: Template) -> None:
    template["Resources"]["ImageFunction"]["Properties"]["Timeout"] = 28


def change_variables(template: Template) -> None:
    template["Globals"]["Function"]["Environment"]["Variables"]["DB_CONNECT_TIMEOUT"] = "6"


def change_layer(template: Template) -> None:
    template["Resources"]["SharedLayer"]["Properties"]["ContentUri"] = "layers/changed"


def change_what_only_others_have(template: Template) -> None:
    template["Resources"]["AnalysisLayer"]["Properties"]["ContentUri"] = "layers/changed"
    template["Resources"]["SweepFunction"]["Properties"]["CodeUri"] = "functions/changed"
    template["Resources"]["Schema"]["Properties"]["Migration"] = "9999_changed"
    template["Parameters"]["MaxPixels"]["Default"] = 1


@pytest.mark.parametrize(
    ("change", "published"),
    [
        (change_code, ["ListFunction"]),
        (change_variables_of_one, ["DeliverFunction"]),
        (change_timeout, ["ImageFunction"]),
        (change_variables, PUBLISHED),
        (change_layer, PUBLISHED),
        (change_what_only_others_have, []),
    ],
)
def test_a_change_publishes_what_it_changes(change: Callable[[Template], None], published: list[str]) -> None:
    template = read_template(MAIN)
    change(template)
    before, after = versions(expand_template(MAIN)), versions(expand(template))
    assert {name for name in PUBLISHED if before[name] != after[name]} == set(published)


def inputs(value: Any, conditions: dict[str, Any]) -> set[str]:
    """The parameters and outputs of nested stacks that determine a value, including through conditions."""
    parameters = read_template(MAIN)["Parameters"]
    found = set()
    for part in walk(value):
        if not isinstance(part, dict):
            continue
        if part.get("Ref") in parameters:
            found.add(part["Ref"])
        if "Outputs." in str(part.get("Fn::GetAtt", "")):
            found.add(".".join(part["Fn::GetAtt"]))
        if isinstance(part.get("Fn::Sub"), str):
            found |= {name for name in re.findall(r"\$\{([\w.]+)\}", part["Fn::Sub"]) if ".Outputs." in name}
        for name in (part.get("Condition"), *part.get("Fn::If", [])[:1]):
            if isinstance(name, str):
                found |= inputs(conditions[name], conditions)
    return found


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_parameter_publishes_the_functions_that_it_changes(name: str) -> None:
    """A version's name does not depend on parameter values; its description does, through Schema's Settings.
    With too few of them, a function keeps old values; with too many, Lambda refuses an unchanged version.
    """
    template = read_template(MAIN)
    template["Parameters"]["Tracing"]["Default"] = "Active"  # otherwise SAM omits the property
    conditions, resources = template["Conditions"], expand(template)
    properties = resources[name]["Properties"]
    versioned = {key: value for key, value in properties.items() if key not in UNVERSIONED}
    version = resources[versions(resources)[name]]
    resource, attribute = version["Properties"]["Description"]["Fn::GetAtt"]
    settings = resources[resource]["Properties"][attribute]

    decided = inputs(settings, conditions)
    assert inputs(versioned, conditions) == decided
    assert {"SecretKey", "DatabaseHost", "Network.Outputs.SubnetIds", "SnapStart", "Tracing"} <= decided
    assert ("ApiKey" in decided) == (name != "DeliverFunction")
    assert ("S3SecretKey" in decided) == (name != "ListFunction")


def test_snapstart_is_a_parameter_and_off_at_first() -> None:
    parameter = read_template(MAIN)["Parameters"]["SnapStart"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("None", ["None", "PublishedVersions"])
    for name, function in find(MAIN, "AWS::Lambda::Function").items():
        expected = {"ApplyOn": {"Ref": "SnapStart"}} if name in PUBLISHED else None
        assert function.get("SnapStart") == expected
