"""docs/api.md: every example runs, and every route has one in each language."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.client import Api
from tests.support.documents import blocks
from tests.support.openapi import operations
from tests.support.pictures import jpeg

LANGUAGES = {
    "bash": (["bash", "-euo", "pipefail"], "examples.sh", r"printf '\n--- {}\n'"),
    "python": ([sys.executable], "examples.py", r"print('\n--- {}', flush=True)"),
    "javascript": (["node"], "examples.mjs", r"console.log('\n--- {}');"),
}
"""For each: the command, the file, and a line that marks an example in the output."""


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
    command, name, separator = LANGUAGES[language]
    if not shutil.which(command[0]):
        pytest.fail(
            f"{command[0]} is needed to run the examples in {language}: install it (Node 20 or later)."
        )
    examples = blocks(DOCUMENT, language)
    if not api.get("/api/service").body["data"]["features"]["webhooks"]:  # sam local omits it
        examples = [example for example in examples if "/api/webhooks" not in example.heading]
    parts = [
        part for number, (_, _, code) in enumerate(examples) for part in (separator.format(number), code)
    ]
    (tmp_path / name).write_text("\n".join(parts), encoding="utf-8")
    (tmp_path / "harbour.jpg").write_bytes(jpeg(640, 480, seed=f"{language} {os.getpid()}"))

    done = subprocess.run(
        [*command, name],
        cwd=tmp_path,
        env={
            **os.environ,
            "BASE_URL": api.base_url.rstrip("/"),
            "API_KEY": api.key,
            "WEBHOOK_URL": "https://93.184.215.14/hooks",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    outputs = re.split(r"^--- \d+\n", done.stdout, flags=re.MULTILINE)[1:]
    failed = examples[len(outputs) - 1].heading if outputs else "the first line"
    assert done.returncode == 0, f"{failed}\n{done.stdout}\n{done.stderr}"
    assert done.stderr == ""
    silent = [
        example.heading for example, output in zip(examples, outputs, strict=True) if not output.strip()
    ]
    assert silent == ["Before the examples"]
