"""openapi.json, read for tests."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from imageapi.http.operations import read_document


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


@lru_cache(maxsize=1)
def statuses_of_codes() -> dict[str, int]:
    """Each error code with its status."""
    return {code: entry["status"] for code, entry in read_document()["x-error-codes"].items()}


def find_codes(method: str, path: str) -> set[str] | None:
    """The error codes of an operation; None if the document does not have it."""
    operation = read_document()["paths"].get(path, {}).get(method)
    if operation is None:
        return None
    applies = {"always"}
    if operation.get("security") != []:
        applies |= {"with_key", "with_scope"}
    general = {c for c, entry in read_document()["x-error-codes"].items() if entry.get("applies") in applies}
    return general | set(operation["x-error-codes"])
