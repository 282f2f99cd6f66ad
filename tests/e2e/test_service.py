"""Health, status, lists, and unknown routes."""

import uuid

import pytest

from tests.e2e.client import Api
from tests.support import pictures
from tests.support.http_client import Answer


def ask_health(api: Api) -> Answer:
    """Retry a few times, because a busy machine may exceed the short time limit once."""
    for _ in range(5):
        answer = api.get("/health", key=None)
        if answer.status == 200:
            break
    return answer


def test_health_needs_no_key(api: Api) -> None:
    answer = ask_health(api)

    assert (answer.status, answer.body["status"]) == (200, "healthy")
    checks = {name: check["status"] for name, check in answer.body["checks"].items()}
    assert checks == {"database": "up", "storage": "up"}
    head = api.request("HEAD", "/health", key=None)
    assert (head.status, head.data) == (200, b"")
    assert head.headers["x-request-id"] != answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/health", "GET, HEAD, OPTIONS"),
        ("PUT", "/api/images", "GET, HEAD, OPTIONS"),
        ("DELETE", "/api/upload", "OPTIONS, POST"),
    ],
)
def test_wrong_method(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.request(method, path)

    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


def test_pages_of_a_list(api: Api) -> None:
    category = f"list & 一覧 {uuid.uuid4()}"
    for n in range(5):
        assert api.upload(pictures.jpeg(), {"category": category, "title": str(n)}).status == 201
    query = {"category": category, "limit": "2"}

    for titles in (["4", "3"], ["2", "1"], ["0"]):
        page = api.get("/api/images", query).body
        assert [image["title"] for image in page["images"]] == titles
        query["cursor"] = page["next_cursor"]

    assert query["cursor"] is None
