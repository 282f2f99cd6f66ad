"""openapi.json, read for tests."""

from collections.abc import Iterator
from typing import Any

from imageapi.http.operations import find_operation
from imageapi.http.operations import read_document as read_document  # also for those who import this module


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = read_document()["components"]["schemas"][name]
    return found


def body_of(operation_id: str) -> dict[str, Any]:
    """The schema of an operation's body, without references; empty if it has no body."""
    return dict(find_operation(operation_id).body or {})


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of each operation."""
    for path, item in read_document()["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def resolve(value: dict[str, Any]) -> dict[str, Any]:
    """The target of a reference; any other value unchanged."""
    found: Any = value
    while "$ref" in found:
        parts = found["$ref"].removeprefix("#/").split("/")
        found = read_document()
        for part in parts:
            found = found[part]
    resolved: dict[str, Any] = found
    return resolved


def parameters(method: str, path: str) -> dict[str, dict[str, Any]]:
    """The parameters of an operation, by name."""
    found = map(resolve, read_document()["paths"][path][method].get("parameters", ()))
    return {each["name"]: each for each in found}


def statuses_of_codes() -> dict[str, int]:
    """Each error code with its status."""
    return {code: entry["status"] for code, entry in read_document()["x-error-codes"].items()}


def find_codes(method: str, path: str) -> set[str] | None:
    """The error codes of an operation; None if the document does not have it."""
    operation = read_document()["paths"].get(path, {}).get(method)
    if operation is None:
        return None
    applies = {"always"} | ({"with_key", "with_scope"} if operation.get("security") != [] else set())
    general = {c for c, entry in read_document()["x-error-codes"].items() if entry.get("applies") in applies}
    return general | set(operation["x-error-codes"])
