"""CloudFront's function in infra/edge.yaml, run by Node.js as CloudFront runs it."""

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import playwright

from tests import ROOT
from tests.support.templates import read_template

NODE = Path(playwright.__file__).with_name("driver") / "node"
"""The Node.js of Playwright, one of the packages that `make test` installs."""
HARNESS = Path(__file__).with_name("run_edge_function.js")
HOST = "d111111abcdef8.cloudfront.net"
REQUEST_ID = "request-id-of-cloudfront"
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Outcome:
    """The outcome: a request that goes on, or a response."""

    value: dict[str, Any]
    hmacs: int

    @property
    def error(self) -> tuple[int, str] | None:
        """Status and code of an error response."""
        if "statusCode" not in self.value:
            return None
        return self.value["statusCode"], json.loads(self.value["body"]["data"])["error"]["code"]

    @property
    def uri(self) -> str:
        """The path of the request that goes on."""
        return str(self.value["uri"])

    @property
    def headers(self) -> dict[str, str]:
        """The headers of either."""
        return {name: str(field["value"]) for name, field in self.value["headers"].items()}


def render_code(keys: Sequence[str], *, lifetime: int = 3600) -> str:
    """The function's code, as CloudFormation renders it."""
    function = read_template(ROOT / "infra/edge.yaml")["Resources"]["Function"]["Properties"]
    values = {"Keys": ",".join(keys), "KeyVersion": "1", "LinkTtlSeconds": str(lifetime)}
    return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], function["FunctionCode"]["Fn::Sub"][0])


class EdgeFunction(ExitStack):
    """One process for many calls of this code. A context manager."""

    def __init__(self, code: str) -> None:
        super().__init__()
        path = Path(self.enter_context(tempfile.TemporaryDirectory())) / "function.js"
        path.write_text(code, encoding="utf-8")
        pipe = subprocess.PIPE
        process = subprocess.Popen([NODE, HARNESS, path], stdin=pipe, stdout=pipe, text=True)
        self._process = self.enter_context(process)

    def on_request(
        self, target: str, headers: Pairs = (), *, method: str = "GET", now: float | None = None
    ) -> Outcome:
        """The viewer-request event of a request; ``target`` is path and query as sent."""
        return self._call("viewer-request", {"request": make_request(target, headers, method)}, now)

    def on_response(
        self,
        request: Mapping[str, Any],
        status: int,
        headers: Mapping[str, str] | None = None,
        *,
        now: float | None = None,
    ) -> Outcome:
        """The viewer-response event of a response to ``request``, from :func:`make_request` or rewritten."""
        fields = {name.lower(): {"value": value} for name, value in (headers or {}).items()}
        response = {"statusCode": status, "statusDescription": "", "headers": fields, "cookies": {}}
        return self._call("viewer-response", {"request": request, "response": response}, now)

    def _call(self, kind: str, content: Mapping[str, Any], now: float | None) -> Outcome:
        context = {"distributionDomainName": HOST, "eventType": kind, "requestId": REQUEST_ID}
        event = {"version": "1.0", "context": context, "viewer": {"ip": "198.51.100.11"}, **content}
        assert self._process.stdin
        assert self._process.stdout
        line = json.dumps({"event": event, "now": time.time() if now is None else now})
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Outcome(answer["result"], answer["hmacs"])


def make_request(target: str, headers: Pairs = (), method: str = "GET") -> dict[str, Any]:
    """A request as CloudFront describes it: nothing is decoded, and only names of headers are changed."""
    uri, _, query = target.partition("?")
    pairs = [(name, value) for name, _, value in (part.partition("=") for part in query.split("&") if part)]
    sent = [("host", HOST), *((name.lower(), value) for name, value in headers)]
    return {
        "method": method,
        "uri": uri,
        "querystring": _collapse(pairs),
        "headers": _collapse(sent),
        "cookies": {},
    }


def _collapse(pairs: Pairs) -> dict[str, Any]:
    """Fields with their first value, and with all of them if there are several."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {
        name: {"value": values[0]}
        | ({"multiValue": [{"value": value} for value in values]} if len(values) > 1 else {})
        for name, values in found.items()
    }
