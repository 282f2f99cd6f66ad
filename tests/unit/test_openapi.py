"""openapi.json agrees with the code, the template and the conventions of docs/api.md."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import imageapi
import pytest
from imageapi.config import settings
from imageapi.errors import AppError
from imageapi.http.operations import DOCUMENT, find_operation
from imageapi.model import filenames, idempotency, metadata, variant_names
from imageapi.model.change_types import ALL_TYPES, CHANGE_TYPES
from imageapi.model.scopes import SCOPES
from imageapi.search import counts, sort_orders, tokens
from openapi_spec_validator import validate

from tests import ROOT
from tests.reference import API, ERRORS, TABLE, write_errors, write_routes
from tests.support.events import load_app, load_routes
from tests.support.openapi import operations, parameters, read_document, resolve, schema, statuses_of_codes

SOURCES = {
    path: path.read_text(encoding="utf-8")
    for folder in ("layers/shared/imageapi", "local/gateway", "template.yaml")
    for path in sorted((ROOT / folder).rglob("*.py") if (ROOT / folder).is_dir() else [ROOT / folder])
}
ACTIONS = {"completeUpload"}
"""It completes a registered upload, so it is safe to repeat without a key."""


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """All JSON objects in a value."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(each)


def test_document_is_valid_and_readable() -> None:
    validate(read_document())
    assert len(DOCUMENT.read_text(encoding="utf-8").splitlines()) <= 2_500


def test_each_operation_is_one_functions_and_its_template_knows_the_path() -> None:
    routes, found = load_routes(), []
    for path in sorted(ROOT.glob("functions/*/app.py")):
        app = getattr(load_app(path.parent.name), "app", None)
        for route in app.routes if app else ():
            if route.operation.path.startswith("/api/"):
                assert routes[route.operation.path].lower().startswith(path.parent.name), route.operation.path
            if route.operation.path in read_document()["paths"]:
                found.append(route.operation)
    declared = [find_operation(operation["operationId"]) for _, _, operation in operations()]
    assert sorted(found, key=str) == sorted(declared, key=str)


def test_scopes_are_in_words_too() -> None:
    assert tuple(schema("Scope")["x-extensible-enum"]) == SCOPES
    for _, _, operation in operations():
        scopes = find_operation(operation["operationId"]).scopes
        if scopes is not None:
            named = " or ".join(f"`{scope}`" for scope in scopes)
            needed = f"a key with {named}" if scopes else "any valid key"
            assert operation["description"].endswith(f"Needs {needed}.")


def test_limits_are_those_of_the_code() -> None:
    for name in ("Metadata", "Image", "TrashedImage"):
        fields = schema(name)["properties"]
        for field, declared in metadata.TEXT_FIELDS.items():
            assert fields[field]["maxLength"] == declared.max_length
        assert fields["tags"]["maxItems"] == metadata.MAX_TAGS
        assert fields["tags"]["items"]["maxLength"] == metadata.TAG.max_length
    assert schema("Image")["properties"]["filename"]["maxLength"] == filenames.MAX_FILENAME_LENGTH
    images = parameters("get", "/api/images")
    assert images["q"]["schema"]["maxLength"] == tokens.MAX_QUERY_LENGTH
    assert f"at most {tokens.MAX_TERMS}" in images["q"]["description"]
    assert set(images["sort"]["schema"]["enum"]) == set(sort_orders.ORDERS)
    widths = "|".join(map(str, variant_names.WIDTHS))
    assert f"({widths})" in images["variants"]["schema"]["items"]["pattern"]
    key = parameters("post", "/api/upload")["Idempotency-Key"]["schema"]
    assert key["maxLength"] == idempotency.MAX_KEY_LENGTH
    upload = read_document()["paths"]["/api/upload"]["post"]["description"]
    assert f"{settings.MAX_DIRECT_FILE_BYTES:,} bytes" in upload
    assert f"{counts.MAX_COUNTED:,}" in schema("Total")["properties"]["relation"]["description"]
    assert set(schema("Links")["required"]) == set(variant_names.LINKED)


def test_types_of_changes_are_those_of_the_triggers() -> None:
    sql = (ROOT / "init_db.sql").read_text(encoding="utf-8")
    written = set(re.findall(r"note_change\('([a-z_.]+)'", sql))
    assert set(schema("Change")["properties"]["type"]["x-extensible-enum"]) == written == set(CHANGE_TYPES)
    assert set(schema("NewWebhook")["properties"]["types"]["items"]["enum"]) == {ALL_TYPES, *written}


def test_codes_are_those_that_are_raised() -> None:
    sources = "".join(SOURCES.values())
    assert set(re.findall(r'\bcode(?:: str)? ?= ?"(\w+)"', sources)) <= set(statuses_of_codes())
    assert set(re.findall(r'{"code": ?"(\w+)", ?"message"', sources)) <= set(statuses_of_codes())
    # Codes of things that are missing are composed: "<thing>_not_found".
    names = {code: code.removesuffix("_not_found") for code in statuses_of_codes()}
    assert [code for code, name in names.items() if not re.search(f'"({code}|{name})"', sources)] == []


def test_codes_have_the_status_of_their_class() -> None:
    for module in pkgutil.walk_packages(imageapi.__path__, "imageapi."):
        importlib.import_module(module.name)
    kinds: list[type[AppError]] = [AppError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    own = {kind.code: kind.status for kind in kinds if "code" in vars(kind)}
    assert own == {code: statuses_of_codes()[code] for code in own}


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in operations()])
def test_operation_keeps_the_conventions(method: str, path: str) -> None:
    operation = read_document()["paths"][path][method]
    taken, responses = parameters(method, path), operation["responses"]
    for status, response in responses.items():
        assert "x-request-id" in resolve(response)["headers"], status
    for code in operation["x-error-codes"]:
        assert str(statuses_of_codes()[code]) in responses, code
    if "201" in responses:
        assert "Location" in responses["201"]["headers"]
        assert ("Idempotency-Key" in taken) != (operation["operationId"] in ACTIONS)
    if "304" in responses:
        assert "ETag" in responses["200"]["headers"]
    body = responses.get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "next_cursor" in resolve(body).get("properties", {}):
        assert {"limit", "cursor"} <= set(taken)
        assert ("Link" in responses["200"]["headers"]) != (path == "/api/changes")
    assert not body or "$ref" in body


def test_schemas_keep_the_conventions() -> None:
    bodies = [operation.get("requestBody", {}) for _, _, operation in operations()]
    used = {each.get("$ref", "").rpartition("/")[2] for each in objects(bodies)}
    for name, declared in read_document()["components"]["schemas"].items():
        is_request = name in used
        is_closed = declared.get("additionalProperties") is False
        assert is_closed == (is_request and declared["type"] == "object"), name
        for each in objects(declared):
            assert not {"oneOf", "anyOf", "allOf"} & set(each), name
            assert is_request or "enum" not in each, name


def test_documents_have_the_same_tables() -> None:
    assert ERRORS.read_text(encoding="utf-8") == write_errors()
    found = TABLE.search(API.read_text(encoding="utf-8"))
    assert found
    assert found[0] == write_routes()
