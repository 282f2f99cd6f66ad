"""The functions' own files: which routes are public, the cost of importing them, and that they stay thin."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from imageapi.http.route_scopes import PUBLIC as NO_KEY
from imageapi.http.route_scopes import ROUTE_SCOPES

from tests.support.events import LambdaContext, load_app, make_event
from tests.support.settings import use_settings

ROOT = Path(__file__).resolve().parents[2]
HANDLERS = sorted(ROOT.glob("functions/*/app.py"))
FUNCTIONS = [path.parent.name for path in HANDLERS]
ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"

PUBLIC = {
    "GET /health",
    "GET /images/<image_id>/<variant>",
    "GET /variants/<image_id>/<name>",
    "GET /variants/<image_id>/<version>/<name>",
    "GET /",
    "GET /docs",
    "GET /openapi.json",
    "GET /assets/<file>",
}
"""The only routes that work without a key. Adding one here must be a deliberate decision."""


def list_routes() -> list[tuple[str, str, str]]:
    """Function, method and rule of each route; functions started by S3 or a schedule have none."""
    found = []
    for function in FUNCTIONS:
        app = getattr(load_app(function), "app", None)
        found += [(function, route.method, route.rule) for route in app.routes] if app else []
    return found


ROUTES = list_routes()
GUARDED = [route for route in ROUTES if f"{route[1]} {route[2]}" not in PUBLIC]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings with unreachable stores: requests that pass the key check would fail with another error."""
    settings = {
        "DB_HOST": "db.invalid",
        "API_KEY": "right-key",
        "SECRET_KEY": "link-secret",
        "MINIO_ACCESS_KEY": "access",
        "MINIO_SECRET_KEY": "secret",
        "MINIO_BUCKET_NAME": "images",
    }
    with use_settings(monkeypatch, settings):
        yield


def call(function: str, method: str, path: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    event = make_event(method, path, headers)
    answer: dict[str, Any] = load_app(function).lambda_handler(event, LambdaContext())
    return answer


@pytest.mark.parametrize(("function", "method", "rule"), GUARDED, ids=lambda text: text)
@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": ""}, {"X-API-Key": "wrong"}, {"Authorization": "right-key"}]
)
def test_every_other_route_refuses_a_request_without_a_key(
    function: str, method: str, rule: str, headers: dict[str, str]
) -> None:
    answer = call(function, method, re.sub(r"<\w+>", ID, rule), headers)
    assert answer["statusCode"] == 401
    assert json.loads(answer["body"])["error"]["code"].startswith("api_key_")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ([("agian", "true")], "parameter_unknown"),
        ([("again", "yes")], "parameter_invalid"),
        ([("again", "true"), ("again", "true")], "parameter_repeated"),
    ],
)
def test_analyze_refuses_what_it_does_not_know(query: list[tuple[str, str]], code: str) -> None:
    event = make_event("POST", f"/api/images/{ID}/analysis", {"X-API-Key": "right-key"}, query)
    answer = load_app("analyze").lambda_handler(event, LambdaContext())
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["error"]["code"] == code


PROBE = """
import json, os, sys

read, opened = [], []

class Recorder(dict):
    def __getitem__(self, name):
        read.append(name)
        return super().__getitem__(name)
    def get(self, name, default=None):
        read.append(name)
        return super().get(name, default)
    def __contains__(self, name):
        read.append(name)
        return super().__contains__(name)

os.environ = Recorder(os.environ)
sys.addaudithook(lambda name, arguments: opened.append(name) if name.startswith("socket.") else None)
sys.path[:0] = [sys.argv[1], sys.argv[2]]
import app
print(json.dumps({"modules": sorted(sys.modules), "read": read, "opened": opened}))
"""


def probe_import(function: str) -> dict[str, list[str]]:
    """Import a handler in its own process, with an empty environment and Lambda's sys.path."""
    paths = [str(ROOT / "functions" / function), str(ROOT / "layers" / "shared")]
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *paths], env={}, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, list[str]] = json.loads(done.stdout)
    return result


def aws_modules(modules: list[str]) -> list[str]:
    """The loaded modules of boto3 and botocore, which must wait for the first request that needs them.
    (Powertools checks for botocore, which loads only its ``__init__``.)
    """
    return [name for name in modules if name == "boto3" or name.startswith(("boto3.", "botocore."))]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_importing_a_handler_opens_nothing_and_reads_no_setting(function: str) -> None:
    probed = probe_import(function)
    assert probed["opened"] == []
    config = (ROOT / "layers/shared/imageapi/config/settings.py").read_text(encoding="utf-8")
    settings = set(re.findall(r'"([A-Z][A-Z0-9]*_[A-Z0-9_]+)"', config))
    assert {"DB_HOST", "API_KEY"} <= settings
    assert settings.isdisjoint(probed["read"])
    assert aws_modules(probed["modules"]) == []


@pytest.mark.parametrize("function", ["list", "deliver"])
def test_what_needs_neither_boto3_nor_pillow_imports_neither(function: str) -> None:
    modules = probe_import(function)["modules"]
    assert {
        "imageapi.catalog.variants" if function == "deliver" else "imageapi.images.list",
        "psycopg2",
    } <= set(modules)
    assert aws_modules(modules) == []
    assert [name for name in modules if name.split(".")[0] in ("PIL", "multipart")] == []
    assert "imageapi.pictures.inspect" not in modules


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_handlers_stay_thin(path: Path) -> None:
    """At most 60 lines that parse, call and return: no SQL, no boto3, no Pillow, no try."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    nodes = list(ast.walk(ast.parse(text)))
    assert not [node for node in nodes if isinstance(node, ast.Try)]
    imported = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    imported += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in imported}.isdisjoint(
        {"boto3", "botocore", "PIL", "psycopg2", "os"}
    )
    assert not re.search(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b ", text)


def test_only_config_reads_the_environment() -> None:
    readers = [
        path.name
        for path in (ROOT / "layers/shared/imageapi").rglob("*.py")
        if re.search(r"os\.(environ|getenv)", path.read_text(encoding="utf-8").replace("``os.environ``", ""))
    ]
    assert readers == ["settings.py"]


def test_the_table_of_access_has_each_route_and_no_other() -> None:
    assert {f"{method} {rule}" for _, method, rule in ROUTES} == set(ROUTE_SCOPES)
    assert {route for route, scopes in ROUTE_SCOPES.items() if scopes == NO_KEY} == PUBLIC
