"""Events as API Gateway sends them (REST API, Lambda proxy), and the functions that handle them.

``events/<name>.json`` is a sample of a route. Its function follows from its ``resource`` and template.yaml,
so a new route only needs its file::

    sam local invoke UploadFunction -e events/upload.json     # function_for("upload") == "UploadFunction"
"""

import base64
import importlib.util
import json
import os
import re
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml  # type: ignore[import-untyped]
from imageapi.config.settings import get_settings
from imageapi.database import db

from local.settings import find_database_users
from tests import ROOT

FOLDER = ROOT / "events"
STAGE = "v1"
API_KEY = "your-api-key-here"
OWNER = "postgres"
"""The owner of the database's schema, as whom MigrateFunction connects."""
HOST = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"

GATEWAY_HEADERS = {"Accept": "*/*", "Host": HOST, "User-Agent": "curl/8.14.1"} | {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
}

Event = dict[str, Any]
Handler = Callable[[Event, Any], dict[str, Any]]
Query = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True)
class LambdaContext:
    """The parts of Lambda's context that the handlers and Powertools read."""

    function_name: str = "tests"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:tests"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    time_left: int = 900_000

    def get_remaining_time_in_millis(self) -> int:
        return self.time_left


def event_names() -> list[str]:
    """The samples of routes, by name; others are events of queues."""
    names = sorted(path.stem for path in FOLDER.glob("*.json"))
    return [name for name in names if "resource" in load_event(name)]


def load_event(name: str) -> Event:
    """The sample ``events/<name>.json``."""
    event: Event = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return event


def function_for(name: str) -> str:
    """The logical id of the function in template.yaml for ``events/<name>.json``."""
    return load_routes()[load_event(name)["resource"]]


def load_handler(function: str) -> Handler:
    """``lambda_handler`` of a function of template.yaml, as its user of the database."""
    handler = _load_handler(_resources()[function]["Properties"]["CodeUri"])
    users = find_database_users(_resources(), function)
    if users and "POSTGRES" not in users:
        users["POSTGRES"] = OWNER

    def handle_as_user(event: Event, context: Any) -> dict[str, Any]:
        with _connected_as(users):
            return handler(event, context)

    return handle_as_user


def load_app(folder: str) -> ModuleType:
    """Load ``functions/<folder>/app.py`` again, with the modules beside it."""
    path = ROOT / "functions" / folder / "app.py"
    spec = importlib.util.spec_from_file_location(f"{folder}_app", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
        for beside in path.parent.glob("*.py"):
            sys.modules.pop(beside.stem, None)
    return module


@lru_cache(maxsize=1)
def list_routes() -> tuple[tuple[str, str], ...]:
    """The folder of its function, and ``GET /api/images/<image_id>``, of each route."""
    apps = {path.parent.name: load_app(path.parent.name) for path in sorted(ROOT.glob("functions/*/app.py"))}
    return tuple(
        (folder, f"{route.operation.method} {route.operation.path}")
        for folder, module in apps.items()
        if hasattr(module, "app")  # others are started by S3 or a schedule
        for route in module.app.routes
    )


def find_failure(answer: dict[str, Any]) -> tuple[int, str] | None:
    """Status and code of the error for which an event of an upload stays in its queue."""
    codes = list(answer.get("unfinished", {}).values())
    return (409 if codes[0] == "upload_in_progress" else 503, codes[0]) if codes else None


def handle(event: Event) -> dict[str, Any]:
    """Invoke the event's function from the template. Without one, returns API Gateway's response."""
    function = load_routes().get(event["resource"])
    return load_handler(function)(event, LambdaContext()) if function else no_route()


def no_route() -> dict[str, Any]:
    """API Gateway's response for a path without a route."""
    answer = _resources()["Api"]["Properties"]["GatewayResponses"]["MISSING_AUTHENTICATION_TOKEN"]
    headers = {name: [value.strip("'")] for name, value in answer["ResponseParameters"]["Headers"].items()}
    return {
        "statusCode": answer["StatusCode"],
        "multiValueHeaders": {"Content-Type": ["application/json"], **headers},
        "body": answer["ResponseTemplates"]["application/json"],
        "isBase64Encoded": False,
    }


@lru_cache(maxsize=1)
def load_routes() -> dict[str, str]:
    """Path in template.yaml: logical id of its function."""
    return {
        source["Properties"]["Path"]: name
        for name, resource in _resources().items()
        if resource["Type"] == "AWS::Serverless::Function"
        for source in resource["Properties"].get("Events", {}).values()
        if source["Type"] == "Api"
    }


def make_event(
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    query: Query = (),
    body: bytes | str = b"",
) -> Event:
    """The parts of a request's event that ``imageapi.http`` reads.

    Args:
        headers: of the request; standard ones (Host, X-Forwarded-For…) are added.
        query: parameters, as pairs if one is repeated.
        body: base64-encoded if its media type is one of the template's BinaryMediaTypes, else text.
    """
    sent = GATEWAY_HEADERS | dict(headers or {})
    content_type = next((value for name, value in sent.items() if name.lower() == "content-type"), "")
    binary = content_type.partition(";")[0].strip().lower() in binary_media_types()
    data = body.encode() if isinstance(body, str) else body
    values: dict[str, list[str]] = {}
    for name, value in query.items() if isinstance(query, Mapping) else query:
        values.setdefault(name, []).append(value)
    return {
        "resource": find_resource(path),
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueQueryStringParameters": values or None,
        "requestContext": {"path": f"/{STAGE}{path}", "domainName": HOST},
        "body": (base64.b64encode(data).decode() if binary else data.decode()) if data else None,
        "isBase64Encoded": binary and bool(data),
    }


def find_resource(path: str) -> str:
    """The template's path for a request's path, or one without a function. Literal parts match first."""
    routes = sorted(load_routes(), key=len, reverse=True)
    for resource in sorted(routes, key=lambda name: (name.endswith("+}"), name.count("{"))):
        pattern = re.sub(r"\{\w+\+\}", ".+", resource.replace(".", r"\."))
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path):
            return resource
    return "/{proxy+}"


class _TemplateLoader(yaml.SafeLoader):  # type: ignore[misc]
    """Loads CloudFormation's YAML; of short forms (``!Ref``, ``!Sub``…) only the argument."""

    def construct_argument(self, _: str, node: yaml.Node) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node, deep=True)
        return self.construct_scalar(node)


_TemplateLoader.add_multi_constructor("!", _TemplateLoader.construct_argument)


@lru_cache(maxsize=1)
def _resources() -> dict[str, Any]:
    template = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), _TemplateLoader)
    resources: dict[str, Any] = template["Resources"]
    return resources


@lru_cache(maxsize=1)
def binary_media_types() -> frozenset[str]:
    """The template's BinaryMediaTypes."""
    declared = _resources()["Api"]["Properties"]["BinaryMediaTypes"]
    return frozenset(name.replace("~1", "/") for name in declared)


@lru_cache(maxsize=1)
def database_users() -> dict[str, str]:
    """The users of the database that MigrateFunction creates: ``{"DB_SERVICE": "image_api", …}``."""
    return find_database_users(_resources(), "MigrateFunction")


def as_manager() -> AbstractContextManager[None]:
    """Connect to the database as the user that manages keys and webhooks, until the end of the block."""
    return _connected_as({"POSTGRES": database_users()["DB_MANAGER"]})


@contextmanager
def _connected_as(users: Mapping[str, str]) -> Iterator[None]:
    """Set the variables of database users, unless the test chose one. All users share one password."""
    if os.environ.get("POSTGRES_USER") not in database_users().values():
        yield
        return
    names = {f"{prefix}_USER": user for prefix, user in users.items()}
    password = os.environ["POSTGRES_PASSWORD"]
    wanted = names | {f"{prefix}_PASSWORD": password for prefix in users}
    if wanted.items() <= os.environ.items():
        yield
        return
    before = {name: os.environ.get(name) for name in wanted}
    try:
        _set_variables(wanted)
        yield
    finally:
        _set_variables(before)


def _set_variables(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    get_settings.cache_clear()
    db.close()


@lru_cache
def _load_handler(code_uri: str) -> Handler:
    handler: Handler = load_app(Path(code_uri).name).lambda_handler
    return handler
