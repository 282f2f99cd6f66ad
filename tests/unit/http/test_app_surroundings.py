"""CORS, the base URL of links, and the log."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.config.settings import get_settings
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
    assert {"ETag", "x-request-id"} <= set(cors.pop("access-control-expose-headers").split(", "))
    assert cors == {"access-control-allow-origin": PAGE, "vary": "Origin"}


@pytest.mark.parametrize(
    "origin", [None, "https://app.example.net", "null", "*", f"{PAGE}.evil.example", PAGE.upper(), f"{PAGE}/"]
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


AWS = f"https://{HOST}/{STAGE}"
OWN = {"Host": "example.com", "X-Forwarded-Proto": "https"}
LOCAL = {"Host": "127.0.0.1:3000", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "3000"}
EDGE = {"Host": HOST, "X-Forwarded-Host": "d123.cloudfront.net", "X-Origin-Verify": "a-secret"}


@pytest.mark.parametrize(
    ("changes", "context", "expected"),
    [
        ({}, {}, AWS),
        ({"headers": {}}, {}, AWS),
        ({"headers": None}, {}, AWS),
        ({"headers": OWN}, {"path": "/public"}, "https://example.com"),
        # The path has no stage, although this route starts with the stage's name.
        ({"headers": OWN}, {"path": "/public", "stage": "public"}, "https://example.com"),
        ({"headers": LOCAL}, {"path": "/{proxy+}", "domainName": LOCAL["Host"]}, "http://127.0.0.1:3000"),
        # Nobody is believed to be a CloudFront that there is not.
        ({"headers": EDGE}, {}, AWS),
    ],
)
def test_base_url(changes: dict[str, Any], context: dict[str, str], expected: str) -> None:
    event = make_event("GET", "/public") | changes
    event["requestContext"] |= context
    status, _, body = handle(event)
    assert (status, json.loads(body)["base_url"]) == (200, expected)


@pytest.mark.parametrize("base", ["/img", "/public", "/a/b"])
def test_a_custom_domain_with_a_base_path(base: str) -> None:
    """API Gateway leaves the base path in the event's path."""
    path = f"{base}/public"
    changes = {"headers": OWN, "path": path, "resource": "/public"}
    test_base_url(changes, {"path": path}, f"https://example.com{base}")


def test_base_url_behind_cloudfront_and_one_that_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORIGIN_VERIFY", "another, a-secret")
    event = make_event("GET", "/public", EDGE)
    assert json.loads(handle(event)[2])["base_url"] == "https://d123.cloudfront.net"
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://cdn.example.com/img/")
    get_settings.cache_clear()
    assert json.loads(handle(event)[2])["base_url"] == "https://cdn.example.com/img"


@pytest.mark.parametrize("secret", [None, "", "wrong", "a-secret-", "鍵"])
def test_nobody_goes_past_cloudfront(monkeypatch: pytest.MonkeyPatch, secret: str | None) -> None:
    monkeypatch.setenv("ORIGIN_VERIFY", "a-secret")
    headers = {"X-Forwarded-Host": "evil.example"} | ({} if secret is None else {"X-Origin-Verify": secret})
    status, _, body = handle(make_event("GET", "/public", headers))
    assert (status, json.loads(body)["error"]["code"]) == (403, "edge_bypassed")


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


def test_every_request_makes_one_line_also_if_it_is_refused(
    log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aws_lambda_powertools.logging.logger.is_cold_start", True)
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")  # must not log keys and bodies
    refused = (("GET", "/things/1"), ("GET", "/nowhere"), ("PUT", "/public"))
    for number, (method, path) in enumerate((("GET", "/public"), ("HEAD", "/public"), *refused)):
        handle(make_event(method, path), f"request-{number}")
    lines = read_lines(log)
    for line in lines:
        assert (line["level"], line["message"], line["function_name"]) == ("INFO", "request", "tests")
        assert line["duration_ms"] >= 0
    assert [line["request_id"] for line in lines] == [f"request-{number}" for number in range(5)]
    assert [line["cold_start"] for line in lines] == [True, False, False, False, False]
    assert [(line["method"], line["path"], line["status"], line.get("code")) for line in lines] == [
        ("GET", "/public", 200, None),
        ("HEAD", "/public", 200, None),
        ("GET", "/things/1", 401, "api_key_missing"),
        ("GET", "/nowhere", 404, "not_found"),
        ("PUT", "/public", 405, "method_not_allowed"),
    ]
    assert "Traceback" not in log.getvalue()


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
        *(("GET", f"/{p}") for p in ("things/1", "fails", "unavailable")),
    ):
        handle(make_event(method, path, headers, query={"s": HIDDEN}, body=f"body {HIDDEN}"))
    assert len(read_lines(log)) >= 4
    assert HIDDEN not in log.getvalue()
