"""The HTTP layer: routes, methods, keys, errors and headers, with API Gateway's events."""

import base64
from collections.abc import Iterator

import pytest
from imageapi import errors
from imageapi.errors import AppError

from tests.support.answers import Answer
from tests.support.events import make_event
from tests.support.settings import use_settings
from tests.unit.http.sending import ENVIRONMENT, WITH_KEY, handle, send


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with use_settings(monkeypatch, ENVIRONMENT):
        yield


def fail_with(error: Exception) -> Answer:
    return handle(make_event("GET", "/fails"), error=error)


def test_a_public_route_needs_no_key() -> None:
    answer = send("GET", "/open")
    assert (answer.status, answer.body["hello"]) == (200, "世界")
    assert "世界" in answer.text, "text is not escaped"
    assert answer.headers["content-type"] == ["application/json"]
    assert answer.headers["cache-control"] == ["private"]
    assert "www-authenticate" not in answer.headers
    assert send("GET", "/open/7").body == {"thing": "7"}
    assert send("GET", "/open/").status == 200, "a slash at the end changes nothing"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/things/1"), ("DELETE", "/things/1"), ("POST", "/things")]
)
def test_all_other_routes_need_one(method: str, path: str) -> None:
    assert send(method, path).error == (401, "api_key_missing")
    refused = send(method, path, {"X-API-Key": "wrong-key"})
    assert refused.error == (401, "api_key_invalid")
    # RFC 9110, 11.6.1: a 401 includes a challenge.
    assert refused.headers["www-authenticate"] == ['ApiKey realm="image-api", header="X-API-Key"']
    assert send(method, path, WITH_KEY).status < 300
    assert send(method, path, {"x-api-key": "second-key"}).status < 300


def test_without_a_configured_key_nobody_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "")
    assert send("GET", "/things/1", WITH_KEY).error == (503, "service_misconfigured")
    assert send("GET", "/open").status == 200


@pytest.mark.parametrize(
    "path", ["/nothing", "/", "/things/1/2", "/open/1/2", "/OPEN", "/日本", "//open", "/openXjson"]
)
def test_unknown_routes(path: str) -> None:
    assert send("GET", path, WITH_KEY).error == (404, "not_found")
    assert send("GET", path).error == (404, "not_found")


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
    answer = send(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, [allow])
    assert method == "HEAD" or answer.code == "method_not_allowed"


def test_head_is_get_without_its_body() -> None:
    answer = send("HEAD", "/open")
    assert (answer.status, answer.text) == (200, "")
    assert answer.headers["cache-control"] == ["private"]
    assert send("HEAD", "/things/1").status == 401
    assert send("HEAD", "/nothing").status == 404


def test_options_names_the_methods() -> None:
    answer = send("OPTIONS", "/things/1")
    assert (answer.status, answer.headers["allow"]) == (204, ["DELETE, GET, HEAD, OPTIONS"])
    assert send("OPTIONS", "/nothing").error == (404, "not_found")


def test_an_error_tells_its_code_message_and_details() -> None:
    answer = fail_with(errors.ConflictError("何か。", code="too_odd", details={"max": 3}))
    shown = {"code": "too_odd", "message": "何か。", "details": {"max": 3}, "request_id": "request-7"}
    assert (answer.status, answer.body["error"]) == (409, shown)
    assert "details" not in fail_with(errors.ConflictError()).body["error"]


@pytest.mark.parametrize(
    ("error", "header"),
    [
        (errors.DatabaseUnavailableError(), ["2"]),
        (errors.StorageUnavailableError(), ["2"]),
        (errors.ConflictError("Later.", retry_after=7), ["7"]),
        (errors.ConflictError("Never."), None),
    ],
)
def test_the_errors_that_are_worth_trying_again(error: AppError, header: list[str] | None) -> None:
    assert fail_with(error).headers.get("retry-after") == header


@pytest.mark.parametrize("error", [RuntimeError("secret detail"), MemoryError("secret detail")])
def test_an_unexpected_exception_tells_nothing(error: Exception) -> None:
    answer = fail_with(error)
    assert answer.error == (500, "internal_error")
    assert not [word for word in ("secret", type(error).__name__, "Traceback") if word in answer.text]


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
    answer = send("POST", "/things", WITH_KEY | {"Content-Type": content_type}, body=body)
    assert answer.body == {"body": body.hex(), "type": content_type}


@pytest.mark.parametrize("text", ["&&&&", "abc", "あ", base64.b64encode(b"x").decode() + "\n!"])
def test_a_body_that_is_not_base64(text: str) -> None:
    event = make_event("POST", "/things", WITH_KEY) | {"body": text, "isBase64Encoded": True}
    assert handle(event).error == (400, "body_invalid")


def test_queries() -> None:
    for query, seen in (({"q": "桜 & 花", "limit": "3"}, ("桜 & 花", 3)), ({}, (None, 50))):
        assert tuple(send("GET", "/things/1", WITH_KEY, query=query).body["query"].values()) == seen
