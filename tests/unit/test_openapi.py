"""openapi.json and the code agree on routes, methods, scopes and limits."""

import re

from imageapi.catalog import facets
from imageapi.changes import feed, history
from imageapi.config import settings
from imageapi.http import json_body
from imageapi.http.route_scopes import ANY_KEY, PUBLIC, ROUTE_SCOPES
from imageapi.model import filenames, metadata, variant_names
from imageapi.model.change_types import ALL_TYPES, CHANGE_TYPES
from imageapi.model.scopes import SCOPES
from imageapi.search import counts, list_parameters, tokens
from imageapi.uploads import idempotency
from openapi_spec_validator import validate

from tests.support.events import ROOT, load_app, load_routes
from tests.support.openapi import codes_of, operations, parameters, read_document, resolve, schema

FUNCTIONS = sorted(ROOT.glob("functions/*/app.py"))
FOR_CLOUDFRONT = "/variants/"
"""Routes that clients do not use."""


def routes_of_the_code() -> set[tuple[str, str]]:
    found = set()
    for path in FUNCTIONS:
        app = getattr(load_app(path.parent.name), "app", None)
        found |= {(route.method.lower(), route.rule) for route in app.routes} if app else set()
    return {(method, path) for method, path in found if not path.startswith(FOR_CLOUDFRONT)}


def without_names(path: str) -> str:
    """A path without its parameter names, which the code and the template spell differently."""
    return re.sub(r"<\w+>|\{\w+\}", "*", path)


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


def test_each_route_with_a_key_says_so() -> None:
    public = {"/health", "/", "/docs", "/openapi.json", "/assets/{file}", "/images/{id}/{variant}"}
    for _, path, operation in operations():
        assert ("401" in operation["responses"]) == (path not in public), path
        assert (operation.get("security") == []) == (path in public), path


def test_each_operation_says_which_scopes_it_needs() -> None:
    """As ROUTE_SCOPES: in its security (roles, as OpenAPI 3.1 has them), and in words, for Swagger UI."""
    access = {without_names(route): scopes for route, scopes in ROUTE_SCOPES.items()}
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
    assert sorted(CHANGE_TYPES) == sorted(set(written))
    wanted = schema("NewWebhook")["properties"]["types"]["items"]["enum"]
    assert sorted(wanted) == sorted({ALL_TYPES, *written})


def test_links_are_those_of_the_code() -> None:
    assert set(schema("Links")["required"]) == set(variant_names.LINKED)
