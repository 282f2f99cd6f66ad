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

from tests.support.events import ROOT, list_routes, load_routes
from tests.support.openapi import codes_of, operations, parameters, read_document, schema

FOR_CLOUDFRONT = "/variants/"
"""Routes that clients do not use."""


def without_names(route: str) -> str:
    """A route without its parameter names, which the code and the template spell differently."""
    return re.sub(r"<\w+>|\{\w+\}", "*", route)


def test_document_is_valid() -> None:
    validate(read_document())


def test_each_route_of_the_code_and_the_template_is_described_and_no_other() -> None:
    described = {without_names(f"{method.upper()} {path}") for method, path, _ in operations()}
    assert described == {without_names(route) for _, route in list_routes() if FOR_CLOUDFRONT not in route}
    paths = {path for path in load_routes() if path != "/{proxy+}" and not path.startswith(FOR_CLOUDFRONT)}
    assert set(read_document()["paths"]) == paths


def test_each_operation_says_which_scopes_it_needs() -> None:
    """As ROUTE_SCOPES: in its security (roles, as OpenAPI 3.1 has them), and in words, for Swagger UI."""
    access = {without_names(route): scopes for route, scopes in ROUTE_SCOPES.items()}
    for method, path, operation in operations():
        scopes = access[without_names(f"{method.upper()} {path}")]
        assert ("401" in operation["responses"]) == (scopes != PUBLIC), path
        security = operation.get("security", read_document()["security"])
        assert [need["ApiKey"] for need in security] == [[scope] if scope else [] for scope in scopes], path
        refusals = codes_of(operation["responses"].get("403", {}))
        assert ("scope_missing" in refusals) == (scopes not in (PUBLIC, ANY_KEY)), path
        named = " or ".join(f"`{scope}`" for scope in scopes)
        needs = {PUBLIC: "", ANY_KEY: "Needs any valid key."}.get(scopes, f"Needs a key with {named}.")
        assert operation.get("description", "").endswith(needs), path
    assert tuple(schema("Scope")["enum"]) == SCOPES


def test_limits_are_those_of_the_code() -> None:
    for name in ("Metadata", "Image"):
        tags = schema(name)["properties"]["tags"]
        assert tags["maxItems"] == metadata.MAX_TAGS
        assert tags["items"]["maxLength"] == metadata.MAX_TAG_LENGTH
    assert schema("Image")["properties"]["filename"]["maxLength"] == filenames.MAX_FILENAME_LENGTH
    key = read_document()["components"]["parameters"]["IdempotencyKey"]["schema"]
    assert key["maxLength"] == idempotency.MAX_KEY_LENGTH
    for path, code in {
        "/api/images": list_parameters,
        "/api/categories": facets,
        "/api/tags": facets,
        "/api/changes": feed,
        "/api/images/{id}/history": history,
    }.items():
        limit = parameters("get", path)["limit"]["schema"]
        assert (limit["default"], limit["maximum"]) == (code.DEFAULT_LIMIT, code.MAX_LIMIT), path
    assert parameters("get", "/api/changes")["wait"]["schema"]["maximum"] == feed.MAX_WAIT


def test_limits_in_prose_are_those_of_the_code() -> None:
    codes = {entry["const"]: entry["description"] for entry in schema("ErrorCode")["oneOf"]}
    upload = read_document()["paths"]["/api/upload"]["post"]["description"]

    assert f"{json_body.MAX_JSON_BYTES:,} bytes" in codes["body_too_long"]
    assert f"{json_body.MAX_JSON_BYTES:,} bytes" in codes["metadata_too_long"]
    assert f"{settings.MAX_DIRECT_FILE_BYTES:,} bytes" in upload
    assert f"{counts.MAX_COUNTED:,}" in schema("ImagePage")["properties"]["total"]["description"]


def test_parameters_of_the_list_are_those_of_the_code() -> None:
    described = parameters("get", "/api/images")
    repeatable = {name for name, value in described.items() if value["schema"]["type"] == "array"}

    assert set(described) == set(list_parameters.PARAMETERS)
    assert repeatable == list_parameters.REPEATABLE
    assert described["q"]["schema"]["maxLength"] == tokens.MAX_QUERY_LENGTH
    assert f"at most {tokens.MAX_TERMS}" in described["q"]["description"]
    assert described["tag"]["schema"]["maxItems"] == list_parameters.MAX_TAG_FILTERS


def test_types_of_changes_are_those_of_the_triggers() -> None:
    sql = (ROOT / "init_db.sql").read_text(encoding="utf-8")
    written = set(re.findall(r"note_change\('([a-z_.]+)'", sql))

    assert sorted(schema("Change")["properties"]["type"]["enum"]) == sorted(CHANGE_TYPES) == sorted(written)
    wanted = schema("NewWebhook")["properties"]["types"]["items"]["enum"]
    assert sorted(wanted) == sorted({ALL_TYPES, *written})


def test_links_are_those_of_the_code() -> None:
    assert set(schema("Links")["required"]) == set(variant_names.LINKED)
