"""python -m tests.reference: write what docs/ has of openapi.json, the tables of routes and error codes."""

import re
from collections.abc import Iterator

from tests.support.events import ROOT
from tests.support.openapi import operations, read_document

ERRORS = ROOT / "docs" / "errors.md"
API = ROOT / "docs" / "api.md"
TABLE = re.compile(r"(?<=<!-- routes -->\n).*?(?=<!-- end of routes -->)", re.DOTALL)
HEAD = """# Error codes

An error is `{"error": {"code", "message", "request_id", "details"?}}`. `GET /openapi.json` has this table,
and the codes of each operation. Ignore the message in programs, and treat a code that you do not know by its
status.

| Code | Status | Meaning |
|---|---|---|
"""


def write_errors() -> str:
    """docs/errors.md."""
    rows = [
        f"| `{code}` | {entry['status']} | {entry['description']} |"
        for code, entry in read_document()["x-error-codes"].items()
    ]
    return HEAD + "\n".join(rows) + "\n"


def write_routes() -> str:
    """The table of routes in docs/api.md."""
    return "| Route | Scope | operationId |\n|---|---|---|\n" + "".join(_rows())


def _rows() -> Iterator[str]:
    for method, path, operation in operations():
        security = operation.get("security", read_document()["security"])
        scopes = " or ".join(f"`{scope}`" for needed in security for scope in needed["ApiKey"])
        needed = scopes or ("any key" if security else "no key")
        yield f"| {method.upper()} {path} | {needed} | {operation['operationId']} |\n"


if __name__ == "__main__":
    ERRORS.write_text(write_errors(), encoding="utf-8")
    text = TABLE.sub(lambda _: write_routes(), API.read_text(encoding="utf-8"))
    API.write_text(text, encoding="utf-8")
