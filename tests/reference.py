"""make reference: write the tables in docs/.

Routes and error codes come from openapi.json, functions from template.yaml.
"""

import re
from collections.abc import Iterator
from typing import Any

from tests import ROOT
from tests.support.openapi import operations, read_document
from tests.support.templates import MAIN, read_template

ERRORS = ROOT / "docs" / "errors.md"
API = ROOT / "docs" / "api.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
TABLE = re.compile(r"(?<=<!-- routes -->\n).*?(?=<!-- end of routes -->)", re.DOTALL)
FUNCTIONS = re.compile(r"(?<=<!-- functions -->\n).*?(?=<!-- end of functions -->)", re.DOTALL)
HEAD = """# Error codes

An error is `{"error": {"code", "message", "request_id", "details"?}}`. `GET /openapi.json` has this table,
and the codes of each operation. Programs should ignore the message. Treat an unknown code by its
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


def write_functions() -> str:
    """The table of functions in docs/architecture.md. A function without its own size has that of Globals."""
    template = read_template(MAIN)
    resources, shared = template["Resources"], template["Globals"]["Function"]
    text = "| Function | Started by | Memory (MB) | Timeout (s) |\n|---|---|---|---|\n"
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = shared | resource["Properties"]
            link = f"[{name}](../{properties['CodeUri'].rstrip('/')})"
            triggers = ", ".join(_find_triggers(name, resources))
            text += f"| {link} | {triggers} | {properties['MemorySize']} | {properties['Timeout']} |\n"
    return text


def _find_triggers(name: str, resources: dict[str, Any]) -> Iterator[str]:
    """The triggers of a function: paths, schedules, queues, and the deploy for a custom resource."""
    for event in resources[name]["Properties"].get("Events", {}).values():
        properties = event["Properties"]
        yield f"`{properties['Path']}`" if "Path" in properties else f"`{properties['Schedule']}`"
    for other, resource in resources.items():
        properties = resource.get("Properties", {})
        if properties.get("FunctionName") == {"Ref": name}:
            yield properties["EventSourceArn"]["Fn::GetAtt"][0]
        if properties.get("ServiceToken") == {"Fn::GetAtt": [name, "Arn"]}:
            yield f"`{other}` (custom resource)"


if __name__ == "__main__":
    ERRORS.write_text(write_errors(), encoding="utf-8")
    text = TABLE.sub(lambda _: write_routes(), API.read_text(encoding="utf-8"))
    API.write_text(text, encoding="utf-8")
    text = FUNCTIONS.sub(lambda _: write_functions(), ARCHITECTURE.read_text(encoding="utf-8"))
    ARCHITECTURE.write_text(text, encoding="utf-8")
    print("Wrote docs/errors.md, and the tables in docs/api.md and docs/architecture.md")
