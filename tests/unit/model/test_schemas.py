"""Bodies against the schemas of openapi.json: each keyword that requests use."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imageapi.errors import AppError
from imageapi.model.schemas import InvalidFieldError, check_body
from imageapi.model.scopes import SCOPES

from tests.support.openapi import body_of, operations
from tests.support.properties import any_text, attempt, check

ID = "01a213ac-8913-7035-9534-471a50a6ba16"
BATCH: dict[str, Any] = {"ids": [ID], "operation": "trash"}
KEY: dict[str, Any] = {"name": "shop", "scopes": ["images:read"]}
UPLOAD: dict[str, Any] = {"filename": "a", "size_bytes": 1}
BODIES = [each["operationId"] for _, _, each in operations() if "requestBody" in each]
NOT_TEXT: list[Any] = [1, True, [], {}, 1.5, 10**400]


@pytest.mark.parametrize(
    ("name", "values", "field", "reason", "details"),
    [
        ("createKey", {"name": "shop"}, "scopes", "required", {}),
        ("createKey", KEY | {"admin": True}, "admin", "unknown", {"known": ["name", "scopes", "expires_at"]}),
        ("createKey", KEY | {"name": None}, "name", "type", {}),
        ("createKey", KEY | {"scopes": "images:read"}, "scopes", "type", {}),
        ("createKey", KEY | {"scopes": []}, "scopes", "value", {"min": 1}),
        ("createKey", KEY | {"scopes": ["images:read", None]}, "scopes.1", "type", {}),
        ("createKey", KEY | {"scopes": ["images:read", "*"]}, "scopes.1", "value", {"allowed": [*SCOPES]}),
        ("batchImages", BATCH | {"ids": [ID, "x"]}, "ids.1", "value", {}),
        ("batchImages", BATCH | {"ids": [ID, ID.upper()]}, "ids.1", "repeated", {}),
        ("batchImages", BATCH | {"ids": [ID] * 201}, "ids", "too_many", {"max": 200}),
        ("batchImages", BATCH | {"atomic": 1}, "atomic", "type", {}),
        ("rotateWebhookSecret", {"overlap_hours": 169}, "overlap_hours", "value", {"min": 0, "max": 168}),
        ("rotateWebhookSecret", {"overlap_hours": True}, "overlap_hours", "type", {}),
        ("rotateWebhookSecret", {"overlap_hours": 1.0}, "overlap_hours", "type", {}),
        ("createUpload", UPLOAD | {"size_bytes": 0}, "size_bytes", "value", {"min": 1}),
        ("createUpload", UPLOAD | {"metadata": None}, "metadata", "type", {}),
        ("createUpload", UPLOAD | {"metadata": {"tags": [1]}}, "metadata.tags.0", "type", {}),
        ("createUpload", UPLOAD | {"sha256": "g" * 64}, "sha256", "value", {"pattern": "^[0-9a-fA-F]{64}$"}),
        ("updateImage", {"\ud800" * 100: "x"}, "?" * 64, "unknown", ...),
        *(("updateImage", {"title": value}, "title", "type", {}) for value in NOT_TEXT),
    ],
)
def test_a_field_that_is_refused(
    name: str, values: dict[str, Any], field: str, reason: str, details: Any
) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        check_body(values, body_of(name))
    found = dict(caught.value.details or {})
    assert (caught.value.status, found.pop("field"), found.pop("reason")) == (422, field, reason)
    assert details in (found, ...)


def test_defaults_are_filled_in() -> None:
    assert check_body(BATCH, body_of("batchImages")) == BATCH | {"atomic": False}
    assert check_body({}, body_of("rotateWebhookSecret")) == {"overlap_hours": 24}
    assert check_body({"title": None, "tags": None}, body_of("updateImage")) == {"title": None, "tags": None}


def test_examples_are_accepted() -> None:
    for name in BODIES:
        check_body(body_of(name).get("example", {}) or {"image_file": ""}, body_of(name))


def test_schemas_use_only_what_is_checked() -> None:
    """Lengths are checked where text is normalized; the use cases parse times and URLs."""
    checked = {"type", "required", "properties", "additionalProperties", "items", "minItems", "maxItems"}
    checked |= {"uniqueItems", "enum", "pattern", "format", "minimum", "maximum", "default"}
    checked |= {"minLength", "maxLength", "description", "example", "x-extensible-enum"}
    schemas = [body_of(name) for name in BODIES]
    for schema in schemas:
        assert set(schema) <= checked
        assert schema.get("format") in (None, "uuid", "date-time", "uri", "binary")
        schemas += [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)


@check
@given(st.data())
def test_anything_is_accepted_or_refused(data: st.DataObject) -> None:
    body = body_of(data.draw(st.sampled_from(BODIES)))
    names = st.sampled_from([*body["properties"], "other"])
    found = attempt(check_body, data.draw(st.dictionaries(names, json_values)), body)
    assert isinstance(found, dict | AppError)
