"""openapi.json has the error codes that the code raises, each under its own status.

That each error of a response is described is checked for all responses of integration tests, by ``send``.
"""

import importlib
import pkgutil
import re

import imageapi
from imageapi import errors

from tests.support.events import ROOT
from tests.support.openapi import codes_of, operations, statuses_of_codes

SOURCES = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "layers").rglob("*.py"))
BY_GATEWAY = {"host_unknown", "request_refused", "throttled", "function_failed", "function_timed_out"}
"""Codes of API Gateway itself (GatewayResponses) or local/gateway/app.py."""
WITHOUT_ROUTE = {"method_not_allowed", "request_refused", "host_unknown", "edge_bypassed"}
DEFAULTS = {"invalid_request", "conflict", "unprocessable", "unsupported_media_type"}
"""Codes of classes of which every raise has a more specific one."""


def is_raised(code: str) -> bool:
    """Whether the sources have the code, whole or put together from what was parsed and what is wrong."""
    ends = [code.removeprefix(f"{name}_") for name in ("metadata", "body")]
    quoted = f'"{code}"' in SOURCES
    return quoted or any(end != code and re.search(f'["}}_]{end}"', SOURCES) for end in ends)


def test_the_described_codes_are_those_that_are_raised() -> None:
    described = statuses_of_codes().keys()
    assert [code for code in described - BY_GATEWAY if not is_raised(code)] == []
    raised = set(re.findall(r'\bcode(?:: str)? ?= ?"(\w+)"', SOURCES))
    assert len(raised) > 50
    assert raised <= described


def test_each_code_has_the_status_of_its_class() -> None:
    for module in pkgutil.walk_packages(imageapi.__path__, "imageapi."):
        importlib.import_module(module.name)
    kinds: list[type[errors.AppError]] = [errors.AppError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    found = {kind.code: kind.status for kind in kinds if kind.__module__.startswith("imageapi.")}

    assert {code: statuses_of_codes()[code] for code in found} == found


def test_each_code_stands_under_its_status_and_can_be_met_at_some_route() -> None:
    met = {
        (code, int(status))
        for _, _, operation in operations()
        for status, response in operation["responses"].items()
        for code in codes_of(response)
    }
    assert met <= statuses_of_codes().items()
    assert statuses_of_codes().keys() == {code for code, _ in met} | WITHOUT_ROUTE | DEFAULTS
