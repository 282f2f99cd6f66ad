"""The templates as CloudFormation gets them: SAM's shorthand expanded, without calls to AWS."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

from tests import ROOT

MAIN = ROOT / "template.yaml"
INFRA = sorted((ROOT / "infra").glob("*.yaml"))
ALL = [MAIN, *INFRA]

Resource = dict[str, Any]


class NoManagedPolicies:
    """Replaces SAM's IAM lookup of managed policies; our template names none."""

    def load(self) -> dict[str, str]:
        return {}


def read_template(path: Path) -> dict[str, Any]:
    """A template as written, copied for each caller."""
    return deepcopy(_parse(path))


@lru_cache(maxsize=8)
def _parse(path: Path) -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse(path.read_text(encoding="utf-8"))
    return template


@lru_cache(maxsize=8)
def expand_template(path: Path) -> dict[str, Resource]:
    """A template's resources, including those that SAM generates."""
    return expand(read_template(path))


def expand(template: dict[str, Any]) -> dict[str, Resource]:
    """The same for a template from read_template(), possibly changed; the argument is modified."""
    if "Transform" in template:
        for resource in template["Resources"].values():
            for name in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
                resource["Properties"][name] = f"s3://bucket/{resource['Properties'][name]}"
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
        parameters = {name: value.get("Default") for name, value in template["Parameters"].items()}
        template = transform(template, parameters, NoManagedPolicies())
    resources: dict[str, Resource] = template["Resources"]
    return resources


def walk(value: Any) -> Iterator[Any]:
    """The value and everything nested in it."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def find(path: Path, kind: str) -> dict[str, Resource]:
    """The properties of all resources of one type, by name."""
    return {
        name: resource.get("Properties", {})
        for name, resource in expand_template(path).items()
        if resource["Type"] == kind
    }


def statements(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each statement of each policy, with the name of its resource."""
    for name, resource in expand_template(path).items():
        for value in walk(resource.get("Properties", {})):
            if isinstance(value, dict) and "Effect" in value and ("Action" in value or "NotAction" in value):
                yield name, value


NOTHING = object()
"""The value of AWS::NoValue: its property or item is left out."""


def resolve(value: Any, template: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
    """A value, rule or resource as CloudFormation sees it with these parameters. Those left out have their
    defaults; references to resources stay.
    """

    def inner(part: Any) -> Any:
        return resolve(part, template, parameters)

    if isinstance(value, list):
        return [item for item in map(inner, value) if item is not NOTHING]
    if not isinstance(value, dict):
        return value
    name, argument = next(iter(value.items())) if len(value) == 1 else ("", "")
    declared = template["Parameters"]
    functions: dict[str, Callable[[], Any]] = {
        "Condition": lambda: inner(template["Conditions"][argument]),
        "Fn::If": lambda: inner(argument[1 if inner(template["Conditions"][argument[0]]) else 2]),
        "Fn::FindInMap": lambda: template["Mappings"][argument[0]][str(inner(argument[1]))][argument[2]],
        "Fn::Not": lambda: not inner(argument)[0],
        "Fn::Equals": lambda: inner(argument[0]) == inner(argument[1]),
        "Fn::Or": lambda: any(inner(argument)),
        "Fn::And": lambda: all(inner(argument)),
        "Fn::Contains": lambda: inner(argument[1]) in inner(argument[0]),
        "Fn::Join": lambda: argument[0].join(inner(argument[1]) or []),
        "Fn::EachMemberEquals": lambda: all(part == argument[1] for part in inner(argument[0]) or [""]),
    }
    if name == "Ref" and argument == "AWS::NoValue":
        return NOTHING
    if name == "Ref" and argument in parameters and argument not in declared:  # such as AWS::Region
        return parameters[argument]
    if name == "Ref" and argument in declared:
        value = parameters.get(argument, declared[argument].get("Default", ""))
        return str(value) if isinstance(value, int | float) else value
    if name in functions:
        return functions[name]()
    found = {key: inner(part) for key, part in value.items()}
    return {key: part for key, part in found.items() if part is not NOTHING}


def find_dependencies(
    resources: Mapping[str, Resource], template: Mapping[str, Any], parameters: Mapping[str, Any]
) -> dict[str, set[str]]:
    """For each resource that exists with these parameters, the names of resources that it waits for.

    Args:
        resources: of the template, after SAM's expansion.
    """
    found: dict[str, set[str]] = {}
    for name, resource in resources.items():
        condition = resource.get("Condition")
        if condition is None or resolve({"Condition": condition}, template, parameters):
            found[name] = _references(resolve(resource, template, parameters)) & resources.keys()
    return found


def _references(resource: Resource) -> set[str]:
    """The names in ``Ref``, ``Fn::GetAtt``, ``Fn::Sub`` and ``DependsOn``."""
    waits = resource.get("DependsOn", [])
    found = {waits} if isinstance(waits, str) else set(waits)
    for part in walk(resource):
        if not isinstance(part, dict):
            continue
        found |= {part["Ref"]} if "Ref" in part else set()
        if "Fn::GetAtt" in part:
            name = part["Fn::GetAtt"]
            found.add(name.partition(".")[0] if isinstance(name, str) else name[0])
        if "Fn::Sub" in part:
            text = part["Fn::Sub"] if isinstance(part["Fn::Sub"], str) else part["Fn::Sub"][0]
            found |= set(re.findall(r"\$\{(\w+)[.}]", text))
    return found
