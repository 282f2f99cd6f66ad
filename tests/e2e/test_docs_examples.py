"""docs/api.md: every example runs, and every route has one in each language."""

import json
import os
import re
from pathlib import Path

import pytest

from tests.e2e.client import Api
from tests.e2e.programs import run_code
from tests.support.documents import blocks
from tests.support.openapi import operations
from tests.support.pictures import jpeg

LANGUAGES = {
    "bash": r"printf '\n--- {}\n'",
    "python": r"print('\n--- {}', flush=True)",
    "javascript": r"console.log('\n--- {}');",
}
"""For each, a line that marks an example in the output."""
DOCUMENT = "docs/api.md"


def routes_in(heading: str) -> list[tuple[str, str]]:
    return re.findall(r"\b(GET|POST|PATCH|DELETE) (/[^\s,]*)", heading)


def test_each_route_has_an_example_in_each_language() -> None:
    described = {(method.upper(), path) for method, path, _ in operations()}

    for language in LANGUAGES:
        examples = blocks(DOCUMENT, language)
        assert {route for example in examples for route in routes_in(example.heading)} == described
    assert {example.language for example in blocks(DOCUMENT)} == {*LANGUAGES, "json"}


def test_responses_look_as_they_are_shown(api: Api) -> None:
    image, error = (json.loads(example.code) for example in blocks(DOCUMENT, "json"))

    shown = api.upload(jpeg(), {}).image
    assert set(image) == set(shown)
    assert set(image["urls"]) == set(shown["urls"])
    refused = api.get("/api/images", {"limit": "0"}).body["error"]
    assert {**refused, "request_id": error["error"]["request_id"]} == error["error"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_examples_run(language: str, api: Api, tmp_path: Path) -> None:
    examples = blocks(DOCUMENT, language)
    if not api.get("/api/service").body["data"]["features"]["webhooks"]:  # sam local omits it
        examples = [example for example in examples if "/api/webhooks" not in example.heading]
    parts = [f"{LANGUAGES[language].format(number)}\n{code}" for number, (_, _, code) in enumerate(examples)]
    (tmp_path / "harbour.jpg").write_bytes(jpeg(640, 480, seed=f"{language} {os.getpid()}"))

    service = {"BASE_URL": api.base_url.rstrip("/"), "API_KEY": api.key}
    done = run_code(
        language, "\n".join(parts), tmp_path, **service, WEBHOOK_URL="https://93.184.215.14/hooks"
    )

    outputs = re.split(r"^--- \d+\n", done.stdout, flags=re.MULTILINE)[1:]
    failed = examples[len(outputs) - 1].heading if outputs else "the first line"
    assert done.returncode == 0, f"{failed}\n{done.stdout}\n{done.stderr}"
    assert done.stderr == ""
    silent = [each.heading for each, output in zip(examples, outputs, strict=True) if not output.strip()]
    assert silent == ["Before the examples"]
