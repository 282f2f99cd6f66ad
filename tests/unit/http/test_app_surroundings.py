"""CORS, the base URL of links, and the log."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from imageapi.config.settings import get_settings

from tests.support.events import HOST, STAGE, make_event
from tests.support.settings import use_settings
from tests.unit.http.sending import ENVIRONMENT, KEY, handle, send

PAGE = "https://app.example.com"
HIDDEN = "must-not-be-logged"
REASON = "the reason, for the log only"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with use_settings(monkeypatch, ENVIRONMENT | {"CORS_ALLOW_ORIGINS": f"https://else.example,{PAGE}"}):
        yield


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the service's logger writes, one JSON object a line."""
    send("GET", "/open")  # creates the logger if needed
    logger, stream = logging.getLogger("image-api"), io.StringIO()
    level = logger.level
    logger.setLevel(logging.INFO)
    for handler in logger.handlers:
        monkeypatch.setattr(handler, "stream", stream)
    yield stream
    logger.setLevel(level)


def cors_of(method: str, path: str, origin: str | None, name: str = "Origin") -> dict[str, str]:
    headers = send(method, path, {name: origin} if origin else {}).headers
    return {k: ", ".join(v) for k, v in headers.items() if k.startswith("access-control-") or k == "vary"}


@pytest.mark.parametrize("name", ["Origin", "origin"])
@pytest.mark.parametrize("path", ["/open", "/things/1", "/nothing", "/fails"])
def test_allowed_pages_may_read_every_answer(path: str, name: str) -> None:
    cors = cors_of("GET", path, PAGE, name)
    assert {"ETag", "x-request-id"} <= set(cors.pop("access-control-expose-headers").split(", "))
    assert cors == {"access-control-allow-origin": PAGE, "vary": "Origin"}


@pytest.mark.parametrize(
    "origin", [None, "https://app.example.net", "null", "*", f"{PAGE}.evil.example", PAGE.upper(), f"{PAGE}/"]
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_other_pages_may_not(origin: str | None, method: str) -> None:
    assert cors_of(method, "/open", origin) == {"vary": "Origin"}


def test_no_cors_when_no_origin_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGINS", "")
    assert cors_of("GET", "/open", PAGE) == cors_of("OPTIONS", "/open", PAGE) == {}


def test_a_preflight_needs_no_key_and_names_what_may_be_sent() -> None:
    cors = cors_of("OPTIONS", "/things", PAGE)
    assert cors["access-control-allow-origin"] == PAGE
    assert cors["access-control-allow-methods"] == "OPTIONS, POST"
    allowed = cors["access-control-allow-headers"].lower()
    assert {"content-type", "x-api-key", "idempotency-key", "if-match"} <= set(allowed.split(", "))
    assert int(cors["access-control-max-age"]) > 0


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
        ({"headers": OWN}, {"path": "/open"}, "https://example.com"),
        # The path has no stage, although this route starts with the stage's name.
        ({"headers": OWN}, {"path": "/open", "stage": "public"}, "https://example.com"),
        ({"headers": LOCAL}, {"path": "/{proxy+}", "domainName": LOCAL["Host"]}, "http://127.0.0.1:3000"),
        # Without CloudFront in front, its headers are ignored.
        ({"headers": EDGE}, {}, AWS),
        # A custom domain with a base path, which API Gateway leaves in the event's path.
        *(
            (
                {"headers": OWN, "path": f"{base}/open", "resource": "/open"},
                {"path": f"{base}/open"},
                f"https://example.com{base}",
            )
            for base in ("/img", "/open", "/a/b")
        ),
    ],
)
def test_base_url(changes: dict[str, Any], context: dict[str, str], expected: str) -> None:
    event = make_event("GET", "/open") | changes
    event["requestContext"] |= context
    assert handle(event).body["base_url"] == expected


def test_base_url_behind_cloudfront_and_one_that_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORIGIN_VERIFY", "another, a-secret")
    assert send("GET", "/open", EDGE).body["base_url"] == "https://d123.cloudfront.net"
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://cdn.example.com/img/")
    get_settings.cache_clear()
    assert send("GET", "/open", EDGE).body["base_url"] == "https://cdn.example.com/img"


@pytest.mark.parametrize("secret", [None, "", "wrong", "a-secret-", "鍵"])
def test_nobody_goes_past_cloudfront(monkeypatch: pytest.MonkeyPatch, secret: str | None) -> None:
    monkeypatch.setenv("ORIGIN_VERIFY", "a-secret")
    headers = {"X-Forwarded-Host": "evil.example"} | ({} if secret is None else {"X-Origin-Verify": secret})
    assert send("GET", "/open", headers).error == (403, "edge_bypassed")


@pytest.mark.parametrize("path", ["/open", "/things/1", "/nothing", "/fails", "/unavailable"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT"])
def test_every_answer_has_the_headers_that_protect_browsers(method: str, path: str) -> None:
    headers = send(method, path).headers
    assert headers["x-content-type-options"] == ["nosniff"]
    assert headers["referrer-policy"] == ["no-referrer"]
    assert headers["strict-transport-security"] == ["max-age=31536000"]
    headers = send(method, path, {"X-Forwarded-Proto": "http", "Host": "localhost:8000"}).headers
    assert headers["x-content-type-options"] == ["nosniff"]
    assert "strict-transport-security" not in headers


def read_lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_each_line_has_the_id_of_the_key_and_never_that_of_another_request(log: io.StringIO) -> None:
    for path, key in (("/things/1", KEY), ("/things/1", "wrong"), ("/things", KEY), ("/open", KEY)):
        send("GET", path, {"X-API-Key": key})
    assert [line.get("key_id") for line in read_lines(log)] == ["root", None, None, None]


def test_every_request_logs_one_line(log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aws_lambda_powertools.logging.logger.is_cold_start", True)
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")  # must not log keys and bodies
    refused = (("GET", "/things/1"), ("GET", "/nowhere"), ("PUT", "/open"))
    for number, (method, path) in enumerate((("GET", "/open"), ("HEAD", "/open"), *refused)):
        handle(make_event(method, path), f"request-{number}")
    lines = read_lines(log)
    for line in lines:
        assert (line["level"], line["message"], line["function_name"]) == ("INFO", "request", "tests")
        assert line["duration_ms"] >= 0
    assert [line["request_id"] for line in lines] == [f"request-{number}" for number in range(5)]
    assert [line["cold_start"] for line in lines] == [True, False, False, False, False]
    assert [(line["method"], line["path"], line["status"], line.get("code")) for line in lines] == [
        ("GET", "/open", 200, None),
        ("HEAD", "/open", 200, None),
        ("GET", "/things/1", 401, "api_key_missing"),
        ("GET", "/nowhere", 404, "not_found"),
        ("PUT", "/open", 405, "method_not_allowed"),
    ]
    assert "Traceback" not in log.getvalue()


@pytest.mark.parametrize(("path", "reason"), [("/fails", REASON), ("/unavailable", "connection refused")])
def test_failures_are_logged_with_their_traceback(path: str, reason: str, log: io.StringIO) -> None:
    answer = handle(make_event("GET", path), "request-10", RuntimeError(REASON))
    failure, request = read_lines(log)
    assert answer.error == (request["status"], request["code"])
    assert (failure["level"], failure["request_id"]) == ("ERROR", "request-10")
    assert "Traceback" in failure["exception"]
    assert reason in failure["exception"]
    assert reason not in answer.text


@pytest.mark.parametrize("key", [KEY, f"wrong-{HIDDEN}"])
@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG])
def test_keys_and_bodies_are_never_logged(key: str, level: int, log: io.StringIO) -> None:
    logging.getLogger("image-api").setLevel(level)
    headers = {"X-API-Key": key, "Authorization": f"Bearer {HIDDEN}"}
    for request in ("POST /things", "GET /things/1", "GET /fails", "GET /unavailable"):
        method, path = request.split()
        send(method, path, headers, query={"s": HIDDEN}, body=f"body {HIDDEN}")
    assert len(read_lines(log)) >= 4
    assert HIDDEN not in log.getvalue()
