"""CORS, the base URL of links, and the log."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.errors import DatabaseUnavailableError
from imageapi.http.app import App
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response

from tests.support.events import HOST, STAGE, LambdaContext, access, make_event
from tests.support.settings import use_settings

KEY = "key-that-must-not-be-logged"
SECRETS = {
    "MINIO_SECRET_KEY": "storage-secret-that-must-not-be-logged",
    "POSTGRES_PASSWORD": "password-that-must-not-be-logged",
    "API_KEY": KEY,
    "SECRET_KEY": "link-secret-that-must-not-be-logged",
}
PAGE = "https://app.example.com"
OTHER_PAGE = "https://app.example.net"
HIDDEN = "must-not-be-logged"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings = {"DB_HOST": "localhost", "MINIO_ACCESS_KEY": "access", "MINIO_BUCKET_NAME": "images"}
    settings |= SECRETS | {"CORS_ALLOW_ORIGINS": f"https://else.example,{PAGE}"}
    with use_settings(monkeypatch, settings):
        yield


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the service's logger writes, one JSON object a line."""
    handle(make_event("GET", "/public"))  # creates the logger if needed
    logger, stream = logging.getLogger("image-api"), io.StringIO()
    level = logger.level
    logger.setLevel(logging.INFO)
    for handler in logger.handlers:
        monkeypatch.setattr(handler, "stream", stream)
    yield stream
    logger.setLevel(level)


def make_app() -> App:
    app = App(access(public={"GET /public", "GET /fails", "GET /unavailable"}))

    @app.get("/public")
    def read_public(request: Request) -> Response:
        return json_response(200, {"base_url": request.base_url}, {"ETag": '"1"'})

    @app.post("/things")
    def create_thing(request: Request) -> Response:
        return json_response(201, {"size": len(request.body)})

    @app.get("/things/<thing_id>")
    def read_thing(request: Request, thing_id: str) -> Response:
        return json_response(200, {"id": thing_id})

    @app.get("/fails")
    def fail(request: Request) -> Response:
        raise RuntimeError("the reason, for the log only")

    @app.get("/unavailable")
    def be_unavailable(request: Request) -> Response:
        raise DatabaseUnavailableError from OSError("connection refused")

    return app


def handle(event: dict[str, Any], request_id: str = "request-7") -> tuple[int, dict[str, str], str]:
    """The status, headers (lower case) and body."""
    context: Any = LambdaContext(aws_request_id=request_id)
    response = make_app().handle(event, context)
    headers = {name.lower(): ", ".join(values) for name, values in response["multiValueHeaders"].items()}
    return response["statusCode"], headers, response["body"]


def cors_of(method: str, path: str, origin: str | None, name: str = "Origin") -> dict[str, str]:
    _, headers, _ = handle(make_event(method, path, {name: origin} if origin else {}))
    return {k: v for k, v in headers.items() if k.startswith("access-control-") or k == "vary"}


@pytest.mark.parametrize("name", ["Origin", "origin"])
@pytest.mark.parametrize("path", ["/public", "/things/1", "/nothing", "/fails"])
def test_allowed_pages_may_read_every_answer(path: str, name: str) -> None:
    cors = cors_of("GET", path, PAGE, name)
    assert cors["access-control-allow-origin"] == PAGE
    assert "ETag" in cors["access-control-expose-headers"]
    assert "x-request-id" in cors["access-control-expose-headers"]
    assert cors["vary"] == "Origin"
    assert "access-control-allow-credentials" not in cors


@pytest.mark.parametrize(
    "origin", [None, OTHER_PAGE, "null", "*", PAGE + ".evil.example", PAGE.upper(), PAGE + "/"]
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_other_pages_may_not(origin: str | None, method: str) -> None:
    assert cors_of(method, "/public", origin) == {"vary": "Origin"}


def test_no_cors_when_no_origin_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", "")
    assert cors_of("GET", "/public", PAGE) == cors_of("OPTIONS", "/public", PAGE) == {}


def test_a_preflight_needs_no_key_and_names_what_may_be_sent() -> None:
    event = make_event("OPTIONS", "/things", {"Origin": PAGE, "Access-Control-Request-Method": "POST"})
    status, headers, body = handle(event)
    assert (status, body or "") == (204, "")
    assert headers["access-control-allow-origin"] == PAGE
    assert headers["access-control-allow-methods"] == "OPTIONS, POST"
    allowed = headers["access-control-allow-headers"].lower()
    assert {"content-type", "x-api-key", "idempotency-key", "if-match"} <= set(allowed.split(", "))
    assert int(headers["access-control-max-age"]) > 0


def base_url_of(**changes: Any) -> str:
    """``base_url`` for an event of GET /public with these changes; ``context`` changes requestContext."""
    event = make_event("GET", "/public")
    context = changes.pop("context", {})
    event |= changes
    event["requestContext"] |= context
    status, _, body = handle(event)
    assert status == 200
    return str(json.loads(body)["base_url"])


def test_base_url_under_a_stage() -> None:
    assert base_url_of() == f"https://{HOST}/{STAGE}"


def test_base_url_behind_a_custom_domain() -> None:
    headers = {"Host": "img.example.com", "X-Forwarded-Proto": "https"}
    assert base_url_of(headers=headers, context={"path": "/public"}) == "https://img.example.com"


@pytest.mark.parametrize("base", ["/img", "/public", "/a/b"])
def test_a_custom_domain_with_a_base_path(base: str) -> None:
    """API Gateway leaves the base path in the event's path."""
    headers = {"Host": "example.com", "X-Forwarded-Proto": "https"}
    path = f"{base}/public"
    assert (
        base_url_of(path=path, resource="/public", headers=headers, context={"path": path})
        == f"https://example.com{base}"
    )


EDGE = {"X-Forwarded-Host": "d123.cloudfront.net", "X-Origin-Verify": "a-secret"}


def test_base_url_behind_cloudfront(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORIGIN_VERIFY", "another, a-secret")
    assert base_url_of(headers={"Host": HOST, **EDGE}) == "https://d123.cloudfront.net"


@pytest.mark.parametrize("secret", [None, "", "wrong", "a-secret-", "鍵"])
def test_nobody_goes_past_cloudfront(monkeypatch: pytest.MonkeyPatch, secret: str | None) -> None:
    monkeypatch.setenv("ORIGIN_VERIFY", "a-secret")
    headers = {"X-Forwarded-Host": "evil.example"} | ({} if secret is None else {"X-Origin-Verify": secret})
    status, _, body = handle(make_event("GET", "/public", headers))
    assert (status, json.loads(body)["error"]["code"]) == (403, "edge_bypassed")


def test_without_cloudfront_nobody_is_believed_to_be_it() -> None:
    assert base_url_of(headers={"Host": HOST, **EDGE}) == f"https://{HOST}/{STAGE}"


def test_base_url_when_a_route_begins_like_the_stage() -> None:
    """Behind a custom domain the path has no stage, although this route starts with the stage's name."""
    headers = {"Host": "img.example.com", "X-Forwarded-Proto": "https"}
    context = {"path": "/public", "stage": "public"}
    assert base_url_of(headers=headers, context=context) == "https://img.example.com"


def test_base_url_under_sam_local() -> None:
    headers = {"Host": "127.0.0.1:3000", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "3000"}
    context = {"path": "/{proxy+}", "stage": "v1", "domainName": "127.0.0.1:3000"}
    assert base_url_of(headers=headers, context=context) == "http://127.0.0.1:3000"


def test_base_url_without_headers() -> None:
    assert base_url_of(headers={}, multiValueHeaders={}) == f"https://{HOST}/{STAGE}"
    assert base_url_of(headers=None, multiValueHeaders=None) == f"https://{HOST}/{STAGE}"


def test_base_url_that_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://cdn.example.com/img/")
    assert base_url_of() == "https://cdn.example.com/img"


@pytest.mark.parametrize("path", ["/public", "/things/1", "/nothing", "/fails", "/unavailable"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
def test_every_answer_has_the_headers_that_protect_browsers(method: str, path: str) -> None:
    _, headers, _ = handle(make_event(method, path))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["strict-transport-security"] == "max-age=31536000"
    _, headers, _ = handle(make_event(method, path, {"X-Forwarded-Proto": "http", "Host": "localhost:8000"}))
    assert headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in headers


def read_lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_each_line_has_the_id_of_the_key_and_never_that_of_another_request(log: io.StringIO) -> None:
    for path, key in (("/things/1", KEY), ("/things/1", "wrong"), ("/things", KEY), ("/public", KEY)):
        handle(make_event("GET", path, {"X-API-Key": key}))
    assert [line.get("key_id") for line in read_lines(log)] == ["root", None, None, None]


def test_every_request_makes_one_line(log: io.StringIO) -> None:
    handle(make_event("GET", "/public"), "request-8")
    handle(make_event("HEAD", "/public"), "request-9")
    first, second = read_lines(log)
    assert (first["method"], first["path"], first["status"], first["level"]) == (
        "GET",
        "/public",
        200,
        "INFO",
    )
    assert (first["request_id"], second["request_id"]) == ("request-8", "request-9")
    assert second["method"] == "HEAD"
    assert "code" not in first
    assert first["duration_ms"] >= 0


def test_refusals_are_logged_at_info_with_their_code(log: io.StringIO) -> None:
    for method, path in (("GET", "/things/1"), ("GET", "/nowhere"), ("PUT", "/public")):
        handle(make_event(method, path))
    lines = read_lines(log)
    assert [(line["message"], line["level"], line["status"], line["code"]) for line in lines] == [
        ("request", "INFO", 401, "api_key_missing"),
        ("request", "INFO", 404, "not_found"),
        ("request", "INFO", 405, "method_not_allowed"),
    ]
    assert "Traceback" not in log.getvalue()


def test_lines_name_the_function_and_tell_cold_starts(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aws_lambda_powertools.logging.logger.is_cold_start", True)
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")  # must not log keys and bodies
    for _ in range(2):
        handle(make_event("GET", "/public"))
    first, second = read_lines(log)
    assert (first["function_name"], second["function_name"]) == ("tests", "tests")
    assert (first["cold_start"], second["cold_start"]) == (True, False)


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [("/fails", 500, "the reason, for the log only"), ("/unavailable", 503, "connection refused")],
)
def test_failures_are_logged_with_their_traceback(
    path: str, status: int, reason: str, log: io.StringIO
) -> None:
    answered, _, body = handle(make_event("GET", path), "request-10")
    failure, request = read_lines(log)
    assert answered == request["status"] == status
    assert request["code"] == json.loads(body)["error"]["code"]
    assert failure["level"] == "ERROR"
    assert "Traceback" in failure["exception"]
    assert reason in failure["exception"]
    assert failure["request_id"] == "request-10"
    assert reason not in body


@pytest.mark.parametrize("key", [KEY, f"wrong-{HIDDEN}"])
@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG])
def test_keys_and_bodies_are_never_logged(key: str, level: int, log: io.StringIO) -> None:
    logging.getLogger("image-api").setLevel(level)
    headers = {"X-API-Key": key, "Authorization": f"Bearer {HIDDEN}"}
    for method, path in (
        ("POST", "/things"),
        ("GET", "/things/1"),
        ("GET", "/fails"),
        ("GET", "/unavailable"),
    ):
        handle(make_event(method, path, headers, query={"s": HIDDEN}, body=f"body {HIDDEN}"))
    assert len(read_lines(log)) >= 4
    assert HIDDEN not in log.getvalue()
