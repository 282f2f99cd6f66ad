"""Which resource waits for which, with certain parameters."""

import re
from collections.abc import Mapping
from typing import Any

from tests.support.templates import Resource, resolve, walk


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
