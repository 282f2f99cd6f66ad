"""The HTTP layer: routes, methods, keys, errors and headers, with API Gateway's events."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi import errors
from imageapi.errors import AppError
from imageapi.http.app import App
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response

from tests.support.answers import Answer, parse
from tests.support.events import LambdaContext, access, make_event
from tests.support.settings import use_settings

KEY = "right-key"
ENVIRONMENT = {
    "DB_HOST": "localhost",
    "MINIO_ACCESS_KEY": "access",
    "MINIO_SECRET_KEY": "storage-secret",
    "MINIO_BUCKET_NAME": "images",
    "API_KEY": f"{KEY},second-key",
    "SECRET_KEY": "link-secret",
}
WITH_KEY = {"X-API-Key": KEY}
CONTEXT: Any = LambdaContext(aws_request_id="request-7")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with use_settings(monkeypatch, ENVIRONMENT):
        yield


def make_app() -> App:
    app = App(access(public={"GET /open", "GET /open/<thing>"}))

    @app.get("/open.json")
    def get_json(request: Request) -> Response:
        return json_response(200, {})

    @app.get("/open")
    def read_open(request: Request) -> Response:
        return json_response(200, {"hello": "世界"}, {"Cache-Control": "no-store"})

    @app.get("/open/<thing>")
    def read_open_thing(request: Request, thing: str) -> Response:
        return json_response(200, {"thing": thing})

    @app.get("/things/<thing_id>")
    def read_thing(request: Request, thing_id: str) -> Response:
        return json_response(200, {"id": thing_id, "query": request.query})

    @app.delete("/things/<thing_id>")
    def delete_thing(request: Request, thing_id: str) -> Response:
        return Response(204)

    @app.post("/things")
    def create_thing(request: Request) -> Response:
        return json_response(201, {"body": request.body.hex(), "type": request.header("content-type")})

    return app


def send(app: App, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> Answer:
    answer = parse(app.handle(make_event(method, path, headers, **options), CONTEXT), head=method == "HEAD")
    assert answer.headers["x-request-id"] == ["request-7"]
    return answer


def raise_app(error: Exception) -> App:
    app = App(access(public={"GET /fails"}))

    @app.get("/fails")
    def fail(request: Request) -> Response:
        raise error

    return app


def test_a_public_route_needs_no_key() -> None:
    answer = send(make_app(), "GET", "/open")
    assert (answer.status, answer.body) == (200, {"hello": "世界"})
    assert "世界" in answer.text, "text is not escaped"
    assert answer.headers["content-type"] == ["application/json"]
    assert answer.headers["cache-control"] == ["no-store"]
    assert send(make_app(), "GET", "/open/7").body == {"thing": "7"}


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/things/1"), ("DELETE", "/things/1"), ("POST", "/things")]
)
def test_all_other_routes_need_one(method: str, path: str) -> None:
    app = make_app()
    assert send(app, method, path).error == (401, "api_key_missing")
    assert send(app, method, path, {"X-API-Key": "wrong-key"}).error == (401, "api_key_invalid")
    assert send(app, method, path, WITH_KEY).status < 300
    assert send(app, method, path, {"x-api-key": "second-key"}).status < 300


def test_a_refused_key_is_told_which_scheme_to_use() -> None:
    """RFC 9110, 11.6.1: a 401 includes a challenge."""
    answer = send(make_app(), "GET", "/things/1", {"X-API-Key": "wrong-key"})
    assert answer.headers["www-authenticate"] == ['ApiKey realm="image-api", header="X-API-Key"']
    assert "www-authenticate" not in send(make_app(), "GET", "/things/1", WITH_KEY).headers


def test_without_a_configured_key_nobody_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "")
    assert send(make_app(), "GET", "/things/1", WITH_KEY).error == (503, "service_misconfigured")
    assert send(make_app(), "GET", "/open").status == 200


def test_a_missing_setting_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINIO_BUCKET_NAME")
    answer = send(make_app(), "GET", "/things/1", WITH_KEY)
    assert answer.error == (503, "service_misconfigured")
    assert "MINIO_BUCKET_NAME" in answer.body["error"]["message"]


@pytest.mark.parametrize(
    "path", ["/nothing", "/", "/things/1/2", "/open/1/2", "/OPEN", "/日本", "//open", "/openXjson"]
)
def test_unknown_routes(path: str) -> None:
    """With and without a key, including routes that resemble a known one."""
    assert send(make_app(), "GET", path, WITH_KEY).error == (404, "not_found")
    assert send(make_app(), "GET", path).error == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/open", "GET, HEAD, OPTIONS"),
        ("PUT", "/things/1", "DELETE, GET, HEAD, OPTIONS"),
        ("GET", "/things", "OPTIONS, POST"),
        ("HEAD", "/things", "OPTIONS, POST"),
        ("PATCH", "/things/1/", "DELETE, GET, HEAD, OPTIONS"),
    ],
)
def test_wrong_methods(method: str, path: str, allow: str) -> None:
    answer = send(make_app(), method, path)
    assert answer.status == 405
    assert answer.headers["allow"] == [allow]
    if method != "HEAD":
        assert answer.error == (405, "method_not_allowed")


def test_a_slash_at_the_end_changes_nothing() -> None:
    assert send(make_app(), "GET", "/open/").status == 200


def test_head_is_get_without_its_body() -> None:
    answer = send(make_app(), "HEAD", "/open")
    assert (answer.status, answer.text) == (200, "")
    assert answer.headers["cache-control"] == ["no-store"]
    assert send(make_app(), "HEAD", "/things/1").status == 401
    assert send(make_app(), "HEAD", "/nothing").status == 404


def test_options_names_the_methods() -> None:
    answer = send(make_app(), "OPTIONS", "/things/1")
    assert (answer.status, answer.headers["allow"]) == (204, ["DELETE, GET, HEAD, OPTIONS"])
    assert send(make_app(), "OPTIONS", "/nothing").error == (404, "not_found")


SPECIAL = [errors.TooComplexError(), errors.ImageNotFoundError()]
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, AppError)
    and kind not in (AppError, *(type(error) for error in SPECIAL))
]


@pytest.mark.parametrize(
    "error", [*SPECIAL, *(kind("What went wrong: 何か。") for kind in KINDS)], ids=lambda e: type(e).__name__
)
def test_every_error_becomes_its_status(error: AppError) -> None:
    answer = send(raise_app(error), "GET", "/fails")
    assert answer.error == (error.status, error.code)
    assert answer.body["error"]["message"] == str(error)
    assert 400 <= error.status < 600


def test_the_errors_that_are_worth_trying_again() -> None:
    for kind in (errors.DatabaseUnavailableError, errors.StorageUnavailableError):
        assert send(raise_app(kind()), "GET", "/fails").headers["retry-after"] == ["2"]
    error = errors.ConflictError("Later.", retry_after=7)
    assert send(raise_app(error), "GET", "/fails").headers["retry-after"] == ["7"]
    assert "retry-after" not in send(raise_app(errors.ConflictError("Never.")), "GET", "/fails").headers


def test_details_and_codes() -> None:
    error = errors.UnprocessableError("No.", code="too_odd", details={"max": 3})
    answer = send(raise_app(error), "GET", "/fails")
    assert answer.body == {"error": {"code": "too_odd", "message": "No.", "details": {"max": 3}}}


@pytest.mark.parametrize(
    "error", [RuntimeError("secret detail"), KeyError("secret detail"), MemoryError("secret detail")]
)
def test_an_unexpected_exception_tells_nothing(error: Exception) -> None:
    answer = send(raise_app(error), "GET", "/fails")
    assert answer.error == (500, "internal_error")
    assert "secret" not in answer.text
    assert type(error).__name__ not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        # API Gateway passes only text for media types that are not binary.
        ("application/json", b""),
        ("application/json", b'{"a": "\xe6\xa1\x9c"}'),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"\0\xff\xd8"),
    ],
)
def test_bodies_arrive_as_they_were_sent(content_type: str, body: bytes) -> None:
    answer = send(make_app(), "POST", "/things", WITH_KEY | {"Content-Type": content_type}, body=body)
    assert answer.body == {"body": body.hex(), "type": content_type}


@pytest.mark.parametrize("text", ["&&&&", "abc", "あ", base64.b64encode(b"x").decode() + "\n!"])
def test_a_body_that_is_not_base64(text: str) -> None:
    event = make_event("POST", "/things", WITH_KEY) | {"body": text, "isBase64Encoded": True}
    assert parse(make_app().handle(event, CONTEXT)).error == (400, "body_invalid")


def test_queries() -> None:
    answer = send(make_app(), "GET", "/things/1", WITH_KEY, query={"q": "桜 & 花", "limit": "3"})
    assert answer.body["query"] == {"q": "桜 & 花", "limit": "3"}
    assert send(make_app(), "GET", "/things/1", WITH_KEY).body["query"] == {}


@pytest.mark.parametrize("second", ["4", "3"])
def test_repeated_queries_are_refused(second: str) -> None:
    query = [("limit", "3"), ("limit", second)]
    answer = send(make_app(), "GET", "/things/1", WITH_KEY, query=query)
    assert answer.error == (400, "parameter_repeated")
    assert "limit" in answer.body["error"]["message"]


def test_the_event_is_left_as_it_was() -> None:
    event = make_event("HEAD", "/open")
    before = json.dumps(event)
    make_app().handle(event, CONTEXT)
    assert json.dumps(event) == before
