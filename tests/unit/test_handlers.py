"""The functions' own files: which routes are public, the cost of importing them, and that they stay thin."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.answers import parse
from tests.support.events import LambdaContext, list_routes, load_app, make_event
from tests.support.settings import use_settings

HANDLERS = sorted(ROOT.glob("functions/*/app.py"))
ID = "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e"

PUBLIC = {
    *("GET /health", "GET /", "GET /docs", "GET /openapi.json", "GET /assets/{file}"),
    *("GET /images/{image_id}/{variant}", "GET /variants/{image_id}/{name}"),
    "GET /variants/{image_id}/{version}/{name}",
}
"""The only routes that work without a key. Adding one here must be a deliberate decision."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings with unreachable stores: requests that pass the key check would fail with another error."""
    stores = {"MINIO_ACCESS_KEY": "access", "MINIO_SECRET_KEY": "secret", "MINIO_BUCKET_NAME": "images"}
    keys = {"API_KEY": "right-key", "SECRET_KEY": "link-secret"}
    with use_settings(monkeypatch, {"DB_HOST": "db.invalid", **stores, **keys}):
        yield


@pytest.mark.parametrize(
    ("function", "route"), [item for item in list_routes() if item[1] not in PUBLIC], ids=lambda text: text
)
@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": ""}, {"X-API-Key": "wrong"}, {"Authorization": "right-key"}]
)
def test_every_other_route_needs_a_key(function: str, route: str, headers: dict[str, str]) -> None:
    method, rule = route.split()
    event = make_event(method, re.sub(r"\{\w+\}", ID, rule), headers)
    answer = parse(load_app(function).lambda_handler(event, LambdaContext()))
    assert answer.status == 401
    assert answer.code.startswith("api_key_")


PROBE = """
import json, sys

opened = []
calls = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto")
sys.addaudithook(lambda name, arguments: opened.append(name) if name in calls else None)
sys.path[:0] = sys.argv[1:]
import app
from imageapi.config.settings import get_settings
settings_read = get_settings.cache_info().misses
print(json.dumps({"modules": sorted(sys.modules), "opened": opened, "settings_read": settings_read}))
"""


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_importing_a_handler_opens_nothing_and_reads_no_setting(path: Path) -> None:
    """In its own process, with an empty environment and Lambda's sys.path."""
    command = [sys.executable, "-c", PROBE, str(path.parent), str(ROOT / "layers/shared")]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    probed = json.loads(done.stdout)
    modules = probed.pop("modules")
    assert probed == {"opened": [], "settings_read": 0}
    # The first request that needs them imports them. Powertools imports only botocore's __init__.
    late = ["boto3", "botocore.", "PIL", "imageapi.pictures"]
    if path.parent.name in ("list", "deliver"):
        late += ["multipart"]
    assert [name for name in modules if name.startswith(tuple(late))] == []


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_handlers_stay_thin(path: Path) -> None:
    """At most 60 lines that parse, call and return."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert not re.search(r"^\s*(try:|(import|from) (boto3|botocore|PIL|psycopg2|os)\b)", text, re.M)
    assert not re.search(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b ", text)


def test_only_config_reads_the_environment() -> None:
    readers = [
        path.name
        for path in (ROOT / "layers/shared/imageapi").rglob("*.py")
        if re.search(r"os\.(environ|getenv)", path.read_text(encoding="utf-8").replace("``os.environ``", ""))
    ]
    assert readers == ["settings.py"]
