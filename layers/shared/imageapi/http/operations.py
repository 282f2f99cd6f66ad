"""The operations of openapi.json: the only declaration of each route's method, path, scopes and parameters.

The file is read as it is, once for each process: that takes about a millisecond.
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
    """What a route declares.

    Attributes:
        scopes: a key needs one of these; empty if any valid key will do, None if no key is needed.
        parameters: the query parameters, by name, as in OpenAPI.
        is_open: whether others are ignored, not refused.
        hides_image: whether a key without images:read gets 204 instead of the response.
        in_maintenance: whether it answers during maintenance. It writes nothing then, not even a key's use.
    """

    method: str
    path: str
    scopes: tuple[str, ...] | None = None
    parameters: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    is_open: bool = False
    hides_image: bool = False
    in_maintenance: bool = False


@cache
def read_document() -> dict[str, Any]:
    """openapi.json."""
    document: dict[str, Any] = json.loads(DOCUMENT.read_bytes())
    return document


@cache
def _places() -> dict[str, tuple[str, str]]:
    """Method and path of each operation, by its operationId."""
    return {
        operation["operationId"]: (method, path)
        for path, item in read_document()["paths"].items()
        for method, operation in item.items()
    }


def find_operation(operation_id: str) -> Operation:
    """The operation of this operationId."""
    method, path = _places()[operation_id]
    found = read_document()["paths"][path][method]
    declared = map(_resolve, found.get("parameters", ()))
    query = {each["name"]: each for each in declared if each["in"] == "query"}
    security = found.get("security", read_document()["security"])
    return Operation(
        method.upper(),
        path,
        tuple(scope for needed in security for scope in needed["ApiKey"]) if security else None,
        query,
        is_open=found.get("x-open-query", False),
        hides_image=found["responses"].get("204", {}).get("$ref", "").endswith(_WITHOUT_IMAGE),
        in_maintenance=found.get("x-in-maintenance", False),
    )


def _resolve(value: dict[str, Any]) -> dict[str, Any]:
    """A parameter, which may be a reference to one of the components."""
    if "$ref" not in value:
        return value
    found: dict[str, Any] = read_document()["components"]["parameters"][value["$ref"].rpartition("/")[2]]
    return found
