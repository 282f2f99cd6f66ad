"""The templates as CloudFormation gets them: SAM's shorthand expanded, without asking AWS."""

import os
from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parents[2]
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
