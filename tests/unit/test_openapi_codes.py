"""openapi.json has each error code that the code can raise, under its own status."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from imageapi import errors

from tests.support.events import ROOT
from tests.support.openapi import codes_of, operations, schema

LAYER = ROOT / "layers" / "shared" / "imageapi"
BY_GATEWAY = {"host_unknown", "request_refused", "throttled", "internal_server_error", "integration_timeout"}
"""Codes of API Gateway itself (GatewayResponses) or local/gateway/app.py."""
FUNCTIONS = sorted(ROOT.glob("functions/*/app.py"))
NAMES_OF_JSON = {"metadata", "body"}


def find_codes() -> set[str]:
    """Every code that the layer can raise: ``code="…"``, class-level ``code``, and those made from parts."""
    found: set[str] = set()
    for path in sorted(LAYER.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        passed_on = find_positions_of_code(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "code":
                found |= set(expand(node.value, path))
            if isinstance(node, ast.Call) and len(node.args) > (
                place := passed_on.get(ast.unparse(node.func), 99)
            ):
                found |= set(expand(node.args[place], path))
            if isinstance(node, ast.ClassDef):
                for line in node.body:
                    if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
                        found.add(ast.literal_eval(line.value))
    return found


def find_positions_of_code(tree: ast.Module) -> dict[str, int]:
    """Functions that pass on an error's code, and the position of that argument."""
    return {
        node.name: [argument.arg for argument in node.args.args].index("code")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and "code=code" in ast.unparse(node) and node.name != "__init__"
    }


def expand(value: ast.expr, path: Path) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(code)):
            yield code
        case ast.JoinedStr(
            values=[ast.FormattedValue(value=ast.Name(id="name")), ast.Constant(value=str(end))]
        ):
            yield from (name + end for name in NAMES_OF_JSON)
        case ast.JoinedStr(
            values=[ast.Constant(value=str(start)), ast.FormattedValue(value=ast.Name(id="kind"))]
        ):
            kinds = re.findall(r'_refuse\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
            yield from (start + kind for kind in kinds)
        case ast.Call() | ast.BoolOp() | ast.Subscript() | ast.Name(id="code"):
            return  # passed on from an error, a row or a caller, and found there
        case _:
            pytest.fail(f"{path.name}:{value.lineno}: how is this code made? {ast.unparse(value)}")


def test_each_error_code_is_described_and_no_other() -> None:
    described = {entry["const"] for entry in schema("ErrorCode")["oneOf"]}

    assert described == find_codes() | BY_GATEWAY


def test_json_is_only_read_under_these_names() -> None:
    sources = [path.read_text(encoding="utf-8") for path in [*LAYER.rglob("*.py"), *FUNCTIONS]]
    calls = [call for source in sources for call in re.findall(r"[^f] parse_json_object\((.*?)\)+", source)]
    named = {name for call in calls for name in re.findall(r', "(\w+)"', call)}

    assert named | {"metadata"} == NAMES_OF_JSON


def kinds_of_error() -> dict[str, int]:
    """Class-level codes with their status."""
    for path in LAYER.rglob("[!_]*.py"):
        importlib.import_module(".".join(path.relative_to(LAYER.parent).with_suffix("").parts))
    kinds: list[type[errors.AppError]] = [errors.AppError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return {kind.code: kind.status for kind in kinds if kind.__module__.startswith("imageapi.")}


def test_each_code_has_the_status_of_its_class() -> None:
    described = {entry["const"]: int(entry["title"]) for entry in schema("ErrorCode")["oneOf"]}

    assert {code: described[code] for code in kinds_of_error()} == kinds_of_error()


def test_codes_stand_under_their_own_status() -> None:
    described = {entry["const"]: entry["title"] for entry in schema("ErrorCode")["oneOf"]}
    for method, path, operation in operations():
        for status, response in operation["responses"].items():
            for code in codes_of(response):
                assert described[code] == status, (method, path, status, code)


def test_each_code_can_be_met_at_some_route() -> None:
    met = {
        code
        for _, _, operation in operations()
        for answer in operation["responses"].values()
        for code in codes_of(answer)
    }
    met |= {
        "method_not_allowed",
        "request_refused",
        "host_unknown",
        "edge_bypassed",
    }  # not specific to a route
    general = {"invalid_request", "conflict", "unprocessable", "unsupported_media_type"}
    """Defaults of their classes: every raise has a more specific code."""

    assert {entry["const"] for entry in schema("ErrorCode")["oneOf"]} == met | general
