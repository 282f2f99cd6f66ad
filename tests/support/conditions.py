"""Evaluates conditions and rules as CloudFormation does, and what resources then depend on."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.templates import Resource, walk


def holds(rule: Any, values: Mapping[str, Any], conditions: Mapping[str, Any] | None = None) -> Any:
    """The value of a condition or assertion, with these parameters; those not given are empty."""
    if not isinstance(rule, dict):
        return rule
    ((name, argument),) = rule.items()
    if name == "Ref":
        return values.get(argument, "")
    if name == "Condition":
        return holds((conditions or {})[argument], values, conditions)
    parts = [holds(part, values, conditions) for part in argument]
    operations: dict[str, Callable[[], Any]] = {
        "Fn::Not": lambda: not parts[0],
        "Fn::Equals": lambda: parts[0] == parts[1],
        "Fn::Or": lambda: any(parts),
        "Fn::And": lambda: all(parts),
        "Fn::EachMemberEquals": lambda: all(part == parts[1] for part in parts[0] or [""]),
        "Fn::Join": lambda: argument[0].join(parts[1]),
    }
    return operations[name]()


def select(value: Any, decided: Mapping[str, bool]) -> Any:
    """The value with the branches of ``Fn::If`` that are taken."""
    if isinstance(value, list):
        return [select(item, decided) for item in value]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        return select(yes if decided[condition] else no, decided)
    return {name: select(item, decided) for name, item in value.items()}


def find_dependencies(
    resources: Mapping[str, Resource], conditions: Mapping[str, Any], parameters: Mapping[str, Any]
) -> dict[str, set[str]]:
    """For each resource that exists with these parameters, the names of resources that it waits for."""
    decided = {name: bool(holds(rule, parameters, conditions)) for name, rule in conditions.items()}
    found: dict[str, set[str]] = {}
    for name, resource in resources.items():
        if decided.get(resource.get("Condition", ""), True):
            found[name] = _references(select(resource, decided)) & resources.keys()
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
