"""The code of CloudFront's function: its size, its language, and how long viewers may cache."""

import re
from collections.abc import Iterator

import pytest

from tests import ROOT
from tests.support.edge_function import EdgeFunction, make_request, render_code
from tests.support.templates import read_template

KEY = "key-of-the-tests-0123456789abcdef"
NOW = 1_800_000_000
MAX_BYTES = 10_240
"""CloudFront's limit."""
ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"
FOREVER = "public, max-age=31536000, immutable"

UNSUPPORTED = {
    "destructuring": r"(?:const|let|var)\s*[{\[]",
    "for-of": r"\bfor\s*\([^;)]*\bof\b",
    "classes": r"\bclass\b",
    "template literals, which Fn::Sub would change": r"`",
    "optional chaining": r"\?\.",
    "nullish coalescing": r"\?\?",
    "spreading": r"\.\.\.",
    "modules": r"\b(?:import|export)\b",
    "lookbehind": r"\(\?<",
    "code at run time": r"\b(?:eval|Function)\b\s*\(",
}
"""Syntax that the runtime cloudfront-js-2.0 lacks, or that a template would change."""


@pytest.fixture(scope="module")
def edge() -> Iterator[EdgeFunction]:
    with EdgeFunction(render_code([KEY])) as function:
        yield function


def test_the_size_and_the_language() -> None:
    assert len(render_code(["k" * 128] * 3).encode()) < MAX_BYTES
    lines = [line for line in render_code([KEY]).splitlines() if not line.strip().startswith("//")]
    code = "\n".join(lines)
    assert [feature for feature, pattern in UNSUPPORTED.items() if re.search(pattern, code)] == []


def test_only_what_is_known_is_replaced_in_the_code() -> None:
    function = read_template(ROOT / "infra/edge.yaml")["Resources"]["Function"]["Properties"]
    code, own = function["FunctionCode"]["Fn::Sub"]
    assert set(re.findall(r"\$\{(.*?)\}", code)) == {"Keys", "KeyVersion", "LinkTtlSeconds"}
    assert set(own) == {"Keys"}
    assert code.index("${KeyVersion}") < code.index("\n"), "in a comment"


CASES = {
    "expiring": (f"/images/{ID}/w320?e={NOW + 100}&k=a&s=b", "private, max-age=100, immutable"),
    "expiring late": (f"/images/{ID}/w320?e={NOW + 5000}&k=a&s=b", "private, max-age=3600, immutable"),
    "expired meanwhile": (f"/images/{ID}/w320?e={NOW - 1}&k=a&s=b", "private, max-age=0, immutable"),
    "permanent": (f"/images/{ID}/w320?v=0&k=a&s=b", FOREVER),
}


@pytest.mark.parametrize("status", [200, 206, 304])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("is_rewritten", [True, False])
def test_what_a_viewer_may_cache(edge: EdgeFunction, case: str, status: int, is_rewritten: bool) -> None:
    """CloudFront does not document whether the request is the viewer's or the one with the new path."""
    target, expected = CASES[case]
    request = make_request(target)
    if is_rewritten:
        request["uri"] = f"/variants/{ID}/w320.webp"

    outcome = edge.on_response(request, status, {"Cache-Control": FOREVER, "ETag": '"x"'}, now=NOW)

    assert outcome.headers == {"cache-control": expected, "etag": '"x"'}
    assert outcome.value["statusCode"] == status


@pytest.mark.parametrize("status", [301, 302, 400, 403, 404, 503])
def test_errors_and_redirects_and_preflights_keep_their_own(edge: EdgeFunction, status: int) -> None:
    link, own = CASES["permanent"][0], {"cache-control": "private, max-age=60"}
    assert edge.on_response(make_request(link), status, own, now=NOW).headers == own
    assert edge.on_response(make_request(link, method="OPTIONS"), 200, own, now=NOW).headers == own
