"""The conventions of docs/api.md hold for every operation of openapi.json, and for every response."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.client import Api
from tests.support.openapi import find_codes, operations, parameters
from tests.support.pictures import jpeg

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
CHECKED = [
    pytest.param(method, path, id=each["operationId"])
    for method, path, each in operations()
    if "x-open-query" not in each
]
LISTS = ["/api/images", "/api/trash", "/api/categories", "/api/tags", "/api/keys", "/api/webhooks"]
Things = dict[str, str]


@pytest.fixture(scope="module")
def things(api: Api) -> Iterator[Things]:
    """Create two entries for each list; returns ids by the name of their path parameter."""
    kept: list[tuple[str, str]] = []

    def create(path: str, body: dict[str, Any]) -> str:
        answer = api.send("POST", path, body)
        assert answer.status == 201, answer.body
        kept.append((path, answer.body["data"]["id"]))
        return str(answer.body["data"]["id"])

    ids = []
    for title in ("One", "Two", "Trashed one", "Trashed two"):
        metadata = {"title": title, "category": f"convention {title}", "tags": [f"convention {title}"]}
        ids.append(api.upload(jpeg(seed=title), metadata).body["data"]["id"])
    for trashed in ids[2:]:
        api.request("DELETE", f"/api/images/{trashed}")
    webhook = str(uuid4())
    for number in range(2):
        key = create("/api/keys", {"name": f"convention {number}", "scopes": ["images:read"]})
        if has_webhooks(api):
            webhook = create("/api/webhooks", {"url": "https://1.1.1.1/hooks", "types": ["image.deleted"]})
    upload = api.send("POST", "/api/uploads", {"filename": "a.jpg", "size_bytes": 1}).body["data"]["id"]
    yield {"image_id": ids[0], "key_id": key, "webhook_id": webhook, "upload_id": upload, "variant": "w160"}
    for image_id in ids:
        api.request("DELETE", f"/api/images/{image_id}", query={"permanent": "true"})
    for path, thing_id in kept:
        api.request("DELETE", f"{path}/{thing_id}")


def has_webhooks(api: Api) -> bool:
    return bool(api.get("/api/service").body["data"]["features"]["webhooks"])


def skip_without_webhooks(api: Api, path: str) -> None:
    if path.startswith("/api/webhooks") and not has_webhooks(api):
        pytest.skip("webhooks are switched off")


@pytest.mark.parametrize(("method", "path"), CHECKED)
def test_query_parameters_are_checked(api: Api, method: str, path: str) -> None:
    """The ids do not exist, because the service checks parameters first."""
    url = re.sub(r"\{\w+\}", str(uuid4()), path)

    def refusal(*query: tuple[str, str]) -> tuple[int, str, str | None]:
        answer = api.request(method.upper(), url, query=query)
        assert answer.code in (find_codes(method, path) or ())
        return answer.status, answer.code, answer.body["error"].get("details", {}).get("reason")

    assert refusal(("nonsense", "1"))[:2] == (400, "parameter_unknown")
    for name, declared in parameters(method, path).items():
        schema = declared["schema"]
        if declared["in"] != "query":
            continue
        if not declared.get("allowEmptyValue"):
            assert refusal((name, "")) == (400, "parameter_invalid", "empty"), name
        if schema["type"] == "boolean":
            assert refusal((name, "1")) == (400, "parameter_invalid", "type"), name
            for flag in ("true", "false"):
                assert api.request(method.upper(), url, query={name: flag}).status != 400, name
        if schema["type"] != "array":
            assert refusal((name, "1"), (name, "1"))[:2] == (400, "parameter_repeated"), name


@pytest.mark.parametrize("path", LISTS)
def test_lists_have_pages(api: Api, things: Things, path: str) -> None:
    skip_without_webhooks(api, path)
    first = api.get(path, {"limit": "1"})
    assert first.status == 200
    plural = next(name for name, value in first.body.items() if isinstance(value, list))
    assert len(first.body[plural]) == 1
    cursor = first.body["next_cursor"]
    assert f"{path}?" in first.headers["link"]
    assert cursor in first.headers["link"]
    second = api.get(path, {"limit": "1", "cursor": cursor})
    assert second.body[plural] != first.body[plural]
    other = next(each for each in LISTS if each != path)
    assert api.get(other, {"cursor": cursor}).code == "cursor_mismatch"
    assert api.get(path, {"cursor": "x"}).code == "cursor_invalid"


@pytest.mark.parametrize(
    "path", ["/api/images/{image_id}", "/api/keys/{key_id}", "/api/webhooks/{webhook_id}"]
)
def test_what_can_be_changed_has_a_version(api: Api, things: Things, path: str) -> None:
    skip_without_webhooks(api, path)
    url = path.format(**things)
    found = api.get(url)
    version, etag = found.body["data"]["version"], found.headers["etag"]
    assert found.headers["cache-control"] == "private, no-cache"
    assert api.request("GET", url, headers={"If-None-Match": etag}).status == 304

    for method in ("PATCH", "DELETE"):
        for outdated in (f'"{version + 1}"', f"W/{etag}"):
            refused = api.request(method, url, headers={"If-Match": outdated}, body=b"{}")
            assert (refused.status, refused.code) == (412, "version_mismatch")
            assert refused.body["error"]["details"] == {"version": version}
    for current in (etag, f'"{version}"', "*"):
        assert api.request("PATCH", url, headers={"If-Match": current}, body=b"{}").status == 200
    unknown = api.request("PATCH", url, body=b'{"nonsense": 1, "id": 1}')
    assert (unknown.status, unknown.code) == (422, "field_invalid")
    assert unknown.body["error"]["details"]["reason"] == "unknown"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/keys", {"name": "Twice", "scopes": ["images:read"]}),
        ("/api/webhooks", {"url": "https://1.1.1.1/hooks", "types": ["*"]}),
        ("/api/uploads", {"filename": "a.jpg", "size_bytes": 1}),
    ],
)
def test_what_creates_is_done_once(api: Api, path: str, body: dict[str, Any]) -> None:
    skip_without_webhooks(api, path)
    name = str(uuid4())
    created, again = (api.send("POST", path, body, Idempotency_Key=name) for _ in range(2))
    try:
        assert (created.status, again.status) == (201, 200)
        data = created.body["data"]
        assert created.headers["location"] == again.headers["location"]
        assert created.headers["location"].endswith(f"{path}/{data['id']}")
        assert api.get(f"{path}/{data['id']}").body["data"]["id"] == again.body["data"]["id"] == data["id"]
        changed = {**body, next(iter(body)): "https://1.1.1.1/others"}
        other = api.send("POST", path, changed, Idempotency_Key=name)
        assert (other.status, other.code) == (422, "idempotency_key_reused")
    finally:
        api.request("DELETE", f"{path}/{created.body['data']['id']}")


def test_times_have_one_form(api: Api, things: Things) -> None:
    for method, path, operation in operations():
        if method == "get" and operation.get("security") != []:
            answer = api.get(path.format(**things))
            assert answer.status in (200, 404), path
            check_times(answer.body, path)


def check_times(value: Any, path: str) -> None:
    if isinstance(value, list):
        for each in value:
            check_times(each, path)
    if isinstance(value, dict):
        for name, each in value.items():
            if name.endswith("_at") and name != "taken_at" and each is not None:
                assert TIME.fullmatch(each), f"{path}: {name}: {each}"
            check_times(each, path)
