"""openapi.json and the code agree on routes, methods, error codes and limits."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from imageapi import errors
from imageapi.catalog import facets
from imageapi.changes import feed, history
from imageapi.config import settings
from imageapi.http import json_body
from imageapi.http.access import ACCESS, ANY_KEY, PUBLIC
from imageapi.model import filenames, metadata, variant_names
from imageapi.model.scopes import SCOPES
from imageapi.search import counts, list_parameters, tokens
from imageapi.uploads import idempotency
from openapi_spec_validator import validate

from tests.support.events import ROOT, load_app, load_routes

LAYER = ROOT / "layers" / "shared" / "imageapi"
FUNCTIONS = sorted(ROOT.glob("functions/*/app.py"))
BY_GATEWAY = {"host_unknown", "request_refused", "throttled", "internal_server_error", "integration_timeout"}
"""Codes of API Gateway itself (GatewayResponses) or local/gateway/app.py."""
FOR_CLOUDFRONT = "/variants/"
"""Routes that clients do not use."""
NAMES_OF_JSON = {"metadata", "body"}


@lru_cache(maxsize=1)
def read_document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        (ROOT / "functions/gallery/openapi.json").read_text(encoding="utf-8")
    )
    return document


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read_document()["components"]["schemas"][name]
    return found


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in read_document()["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield method, path, operation


def resolve(value: dict[str, Any]) -> dict[str, Any]:
    target: Any = value
    while "$ref" in target:
        parts = target["$ref"].removeprefix("#/").split("/")
        target = read_document()
        for part in parts:
            target = target[part]
    found: dict[str, Any] = target
    return found


def parameters(method: str, path: str) -> dict[str, dict[str, Any]]:
    item = read_document()["paths"][path]
    found = [resolve(value) for value in [*item.get("parameters", []), *item[method].get("parameters", [])]]
    return {value["name"]: value for value in found}


def routes_of_the_code() -> set[tuple[str, str]]:
    found = set()
    for path in FUNCTIONS:
        app = getattr(load_app(path.parent.name), "app", None)
        found |= {(route.method.lower(), route.rule) for route in app.routes} if app else set()
    return {(method, path) for method, path in found if not path.startswith(FOR_CLOUDFRONT)}


def without_names(path: str) -> str:
    """A path without its parameter names, which the code and the template spell differently."""
    return re.sub(r"<\w+>|\{\w+\}", "*", path)


def codes_of(response: dict[str, Any]) -> set[str]:
    parts = (
        resolve(response).get("content", {}).get("application/json", {}).get("schema", {}).get("allOf", [])
    )
    found = [
        part["properties"]["error"]["properties"]["code"]["enum"] for part in parts if "properties" in part
    ]
    return {code for codes in found for code in codes}


def test_document_is_valid() -> None:
    validate(read_document())


def test_each_route_of_the_code_is_described_and_no_other() -> None:
    described = {(method, without_names(path)) for method, path, _ in operations()}

    assert described == {(method, without_names(path)) for method, path in routes_of_the_code()}


def test_each_path_of_the_template_is_described_and_no_other() -> None:
    paths = {path for path in load_routes() if path != "/{proxy+}" and not path.startswith(FOR_CLOUDFRONT)}

    assert set(read_document()["paths"]) == paths


def test_path_parameters_are_described() -> None:
    for method, path, _ in operations():
        named = {name for name, value in parameters(method, path).items() if value["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path)), path


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]

    assert len(set(names)) == len(names)


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
    refused_before = {"unsupported_image_type", "payload_too_large"}
    """Uploads refused with these codes respond 422 when requested again."""
    for method, path, operation in operations():
        for status, response in operation["responses"].items():
            for code in codes_of(response):
                again = path.endswith("/complete") and status == "422" and code in refused_before
                assert described[code] == status or again, (method, path, status, code)


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


def test_each_route_with_a_key_says_so() -> None:
    public = {"/health", "/", "/docs", "/openapi.json", "/assets/{file}", "/images/{id}/{variant}"}
    for _, path, operation in operations():
        assert ("401" in operation["responses"]) == (path not in public), path
        assert (operation.get("security") == []) == (path in public), path


def test_each_operation_says_which_scopes_it_needs() -> None:
    """As http.access says: in its security (roles, as OpenAPI 3.1 has them), and in words, for Swagger UI."""
    access = {without_names(route): scopes for route, scopes in ACCESS.items()}
    for method, path, operation in operations():
        scopes = access[without_names(f"{method.upper()} {path}")]
        if scopes == PUBLIC:
            continue
        security = operation.get("security", read_document()["security"])
        assert [need["ApiKey"] for need in security] == [[scope] if scope else [] for scope in scopes], path
        needs = " or ".join(f"`{scope}`" for scope in scopes)
        sentence = "any valid key" if scopes == ANY_KEY else f"a key with {needs}"
        assert operation["description"].endswith(f"Needs {sentence}."), path
        refusals = codes_of(operation["responses"].get("403", {}))
        assert ("scope_missing" in refusals) == (scopes != ANY_KEY), path


def test_scopes_are_those_of_the_code() -> None:
    assert tuple(schema("Scope")["enum"]) == SCOPES


def test_every_answer_tells_its_request_id() -> None:
    for method, path, operation in operations():
        for status, response in operation["responses"].items():
            assert "x-request-id" in resolve(response)["headers"], (method, path, status)


def test_lengths_are_those_of_the_code() -> None:
    for name in ("Metadata", "Image"):
        fields = schema(name)["properties"]
        assert fields["tags"]["maxItems"] == metadata.MAX_TAGS
        assert fields["tags"]["items"]["maxLength"] == metadata.MAX_TAG_LENGTH
    assert schema("Image")["properties"]["filename"]["maxLength"] == filenames.MAX_FILENAME_LENGTH
    key = read_document()["components"]["parameters"]["IdempotencyKey"]["schema"]
    assert key["maxLength"] == idempotency.MAX_KEY_LENGTH


def test_limits_in_prose_are_those_of_the_code() -> None:
    codes = {entry["const"]: entry["description"] for entry in schema("ErrorCode")["oneOf"]}
    upload = read_document()["paths"]["/api/upload"]["post"]["description"]

    assert f"{json_body.MAX_JSON_BYTES:,} bytes" in codes["body_too_long"]
    assert f"{json_body.MAX_JSON_BYTES:,} bytes" in codes["metadata_too_long"]
    assert f"{settings.MAX_DIRECT_FILE_BYTES:,} bytes" in upload
    total = schema("ImagePage")["properties"]["total"]["description"]
    assert f"{counts.MAX_COUNTED:,}" in total


def test_parameters_of_the_list_are_those_of_the_code() -> None:
    described = parameters("get", "/api/images")

    assert set(described) == set(list_parameters.PARAMETERS)
    assert {
        name for name, value in described.items() if value["schema"]["type"] == "array"
    } == list_parameters.REPEATABLE
    limit = described["limit"]["schema"]
    assert (limit["default"], limit["maximum"]) == (list_parameters.DEFAULT_LIMIT, list_parameters.MAX_LIMIT)
    assert described["q"]["schema"]["maxLength"] == tokens.MAX_QUERY_LENGTH
    assert f"at most {tokens.MAX_TERMS}" in described["q"]["description"]
    assert described["tag"]["schema"]["maxItems"] == list_parameters.MAX_TAG_FILTERS
    for path in ("/api/categories", "/api/tags"):
        limit = parameters("get", path)["limit"]["schema"]
        assert (limit["default"], limit["maximum"]) == (facets.DEFAULT_LIMIT, facets.MAX_LIMIT)


def test_limits_of_changes_are_those_of_the_code() -> None:
    for path, code in (("/api/changes", feed), ("/api/images/{id}/history", history)):
        limit = parameters("get", path)["limit"]["schema"]
        assert (limit["default"], limit["maximum"]) == (code.DEFAULT_LIMIT, code.MAX_LIMIT)
    assert parameters("get", "/api/changes")["wait"]["schema"]["maximum"] == feed.MAX_WAIT


def test_types_of_changes_are_those_of_the_triggers() -> None:
    written = re.findall(r"note_change\('([a-z_.]+)'", (ROOT / "init_db.sql").read_text(encoding="utf-8"))

    assert sorted(schema("Change")["properties"]["type"]["enum"]) == sorted(set(written))


def test_links_are_those_of_the_code() -> None:
    assert set(schema("Links")["required"]) == set(variant_names.LINKED)
