"""The operations of openapi.json: the only declaration of each route, its parameters and its body.

Each process reads the file once, in about a millisecond.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

DOCUMENT = Path(__file__).parents[1] / "openapi.json"
_WITHOUT_IMAGE = "WithoutImage"


class Operation(NamedTuple):
    """The declaration of a route.

    Attributes:
        scopes: a key needs one of these; empty if any valid key suffices, None if no key is required.
        parameters: the query parameters by name, as in OpenAPI.
        is_open: whether other parameters are ignored instead of rejected.
        body: the schema of the JSON body or form; None if the route accepts no body.
        is_form: whether the body is multipart/form-data.
        needs_body: whether a request without a body is rejected.
        hides_image: whether a key without images:read gets 204 instead of the response.
        in_maintenance: whether it runs during maintenance. It then writes nothing, not even a key's last use.
    """

    method: str
    path: str
    scopes: tuple[str, ...] | None = None
    parameters: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    is_open: bool = False
    body: Mapping[str, Any] | None = None
    is_form: bool = False
    needs_body: bool = False
    hides_image: bool = False
    in_maintenance: bool = False


@cache
def read_document() -> dict[str, Any]:
    """openapi.json."""
    document: dict[str, Any] = json.loads(DOCUMENT.read_bytes())
    return document


@cache
def _places() -> dict[str, tuple[str, str]]:
    """Method and path of each operationId."""
    return {
        operation["operationId"]: (method, path)
        for path, item in read_document()["paths"].items()
        for method, operation in item.items()
    }


@cache
def find_operation(operation_id: str) -> Operation:
    """The operation with this operationId."""
    method, path = _places()[operation_id]
    found = read_document()["paths"][path][method]
    query = {each["name"]: each for each in _resolve(found.get("parameters", [])) if each["in"] == "query"}
    request = _resolve(found.get("requestBody", {}))
    content: dict[str, Any] = request.get("content", {})
    body = next((each["schema"] for each in content.values()), None)
    security = found.get("security", read_document()["security"])
    return Operation(
        method.upper(),
        path,
        tuple(scope for needed in security for scope in needed["ApiKey"]) if security else None,
        query,
        is_open=found.get("x-open-query", False),
        body=body,
        is_form="multipart/form-data" in content,
        needs_body=request.get("required", False),
        hides_image=found["responses"].get("204", {}).get("$ref", "").endswith(_WITHOUT_IMAGE),
        in_maintenance=found.get("x-in-maintenance", False),
    )


def _resolve(value: Any) -> Any:
    """Replace the references in a part of the document by their components."""
    if isinstance(value, list):
        return [_resolve(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" not in value:
        return {name: _resolve(item) for name, item in value.items()}
    _, _, kind, name = value["$ref"].split("/")
    return _resolve(read_document()["components"][kind][name])
