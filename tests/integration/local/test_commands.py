"""make demo, key and keys-confirm against a scripted HTTP server, and a stack in an emulator of AWS."""

import json
import threading
from argparse import Namespace
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from local.client import Api as Client
from local.demo import upload
from local.errors import LocalError
from local.key import run_key, run_keys_confirm
from local.settings import make_settings
from tests.support.aws import emulate_aws, make_client
from tests.support.http_server import Handler, serve

ADDED: tuple[int, Any] = (201, {"data": {}})
MADE = {
    "id": "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e",
    "name": "it's",
    "scopes": ["images:read", "images:write"],
    "expires_at": "2099-01-01T00:00:00+00:00",
    "key": "imgapi_secret",
}


class Api:
    """Sends requests with the key ``right`` the next response of their method. The last one repeats.

    Attributes:
        requests: method, path, JSON body and Idempotency-Key of each.
    """

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, list[tuple[int, Any]]] = {
            "GET": [(200, {"images": []})],
            "POST": [ADDED],
        }
        self.requests: list[tuple[str, str, Any, str | None]] = []
        self._lock = threading.Lock()

    def answer(self, request: Handler) -> tuple[int, Any]:
        body = request.read_body()
        if request.headers["X-API-Key"] != "right":
            return 401, {"error": {"code": "api_key_invalid"}}
        value = json.loads(body) if body.startswith(b"{") else None
        with self._lock:
            self.requests.append((request.command, request.path, value, request.headers["Idempotency-Key"]))
            answers = self.answers[request.command]
            return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def api() -> Iterator[Api]:
    found = Api()

    class Service(Handler):
        def respond(self) -> None:
            status, value = found.answer(self)
            self.answer(status, json.dumps(value).encode())

    with serve(Service) as found.url:
        yield found


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ([ADDED], "added"),
        ([(503, None), (429, None), ADDED], "added"),
        ([(200, {"data": {}})], "there already"),
        ([(422, {"error": {"code": "idempotency_key_reused"}})], "there already"),
        ([(422, {"error": {"code": "image_corrupt", "message": "No."}})], "number 2: 422 image_corrupt: No."),
        ([(418, None)], "number 2: 418 : "),
    ],
)
def test_what_an_answer_means(api: Api, answers: list[tuple[int, Any]], text: str) -> None:
    api.answers["POST"] = answers.copy()

    assert upload.upload_one(Client(api.url, "right"), 2) == text
    assert [key for *_, key in api.requests] == ["demo-0002"] * len(answers)


def run_demo(api_url: str | None, key: str | None, count: int = 3, **variables: str) -> None:
    arguments = Namespace(base_url=api_url, api_key=key, count=count)
    upload.run_demo(arguments, make_settings(variables), None)


def test_a_run_says_what_it_did(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers["POST"] = [(200, {"data": {}}), ADDED]
    run_demo(None, None, BASE_URL=api.url + "/", API_KEY="right,older")
    assert "2 added, 1 already uploaded" in capsys.readouterr().out
    assert sorted(key for *_, key in api.requests if key) == ["demo-0000", "demo-0001", "demo-0002"]

    api.answers["POST"] = [(422, {"error": {"code": "metadata_invalid", "message": "No."}}), ADDED]
    with pytest.raises(
        LocalError, match=r"1 images were rejected, for example: .*number \d: 422 metadata_invalid"
    ):
        run_demo(api.url, "right")


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("http://127.0.0.1:1", "right", "make run"),
        ("nonsense", "right", "not a URL"),
        ("ftp://127.0.0.1", "right", "not a URL"),
        ("http://", "right", "not a URL"),
        (None, "wrong", "API_KEY"),
        (None, "", "API_KEY"),
    ],
)
def test_without_an_api_that_can_be_used(api: Api, url: str | None, key: str, said: str) -> None:
    with pytest.raises(LocalError, match=said):
        run_demo(url or api.url, key)
    assert not api.requests


def make_key(api_url: str | None = None, key: str | None = "right", **values: str | None) -> None:
    given = {"name": "it's", "scopes": "images:read", "expires": None, "stack": None} | values
    run_key(Namespace(base_url=api_url, api_key=key, **given), make_settings({}), None)


def test_a_key_is_made_and_printed_with_what_to_do_next(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers["POST"] = [(201, {"data": MADE})]
    make_key(api.url, scopes="images:read, images:write", expires="2099-01-01")
    said = capsys.readouterr().out
    make_key(api.url)

    asked = {"name": "it's", "scopes": ["images:read", "images:write"], "expires_at": "2099-01-01"}
    without_an_end = {"name": "it's", "scopes": ["images:read"]}
    assert api.requests == [("POST", "/api/keys", body, None) for body in (asked, without_an_end)]
    assert "\n  imgapi_secret\n" in said
    assert f"curl -H 'X-API-Key: imgapi_secret' {api.url}/api/keys/self" in said
    assert f"{api.url}/api/keys/{MADE['id']}" in said
    assert "right" not in said


def test_what_the_api_refuses_is_told(api: Api) -> None:
    api.answers["POST"] = [(422, {"error": {"code": "field_invalid", "message": "There is no scope 'x'."}})]

    with pytest.raises(LocalError, match="422 field_invalid: There is no scope 'x'"):
        make_key(api.url, scopes="x")


def confirm(api: Api, *keys: dict[str, Any], apply: bool) -> None:
    api.answers["GET"] = [(200, {"keys": keys, "next_cursor": None})]
    arguments = Namespace(base_url=api.url, api_key="right", stack=None, apply=apply)
    run_keys_confirm(arguments, make_settings({}), None)


def listed(number: int, **changes: str | None) -> dict[str, Any]:
    key = MADE | {"id": f"id-{number}", "name": f"key {number}", "prefix": f"imgapi_{number}"}
    times = {"created_at": "2026-11-01T10:00:00+00:00", "last_used_at": None, "revoked_at": None}
    return key | times | {"suspended_at": "2026-12-01T10:00:00+00:00"} | changes


def test_suspended_keys_are_listed_first_and_confirmed_when_asked(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    others = (listed(3, suspended_at=None), listed(4, revoked_at="2026-12-02T10:00:00+00:00"))
    keys = (listed(1), listed(2), *others)

    confirm(api, *keys, apply=False)
    said = capsys.readouterr().out
    assert [name in said for name in ("key 1", "key 2", "key 3", "key 4")] == [True, True, False, False]
    for fact in (
        "imgapi_1",
        "images:read images:write",
        "created 2026-11-01",
        "id-1",
        "APPLY=1",
        "-X DELETE",
    ):
        assert fact in said
    assert [method for method, *_ in api.requests] == ["GET"]

    api.answers["POST"] = [(200, {}), (409, {})]
    confirm(api, *keys, apply=True)
    confirmed = [path for method, path, *_ in api.requests if method == "POST"]
    assert confirmed == ["/api/keys/id-1/confirm", "/api/keys/id-2/confirm"]

    api.answers["POST"] = [(503, {"error": {"code": "database_unavailable", "message": "Try again."}})]
    with pytest.raises(LocalError, match="'key 1' was not confirmed: 503 database_unavailable"):
        confirm(api, *keys, apply=True)

    confirm(api, *others, apply=True)
    assert "No API key is suspended." in capsys.readouterr().out


def test_a_stack_on_aws_has_its_address_and_the_root_key(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The root key comes from the stack's secret, or from the caller."""
    made, given = (f"{name}-{uuid4().hex}" for name in ("made", "given"))
    api.answers["POST"] = [(201, {"data": MADE})]
    with emulate_aws() as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        client, manager = make_client("cloudformation", aws), make_client("secretsmanager", aws)
        arn = manager.create_secret(Name=made, SecretString="right")["ARN"]
        for stack, outputs in (
            (made, {"Url": {"Value": f"{api.url}/"}, "ApiKeySecret": {"Value": arn}}),
            (given, {"Url": {"Value": api.url}}),
        ):
            template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, "Outputs": outputs}
            client.create_stack(StackName=stack, TemplateBody=json.dumps(template))

        make_key(key=None, stack=made)
        make_key(key="right", stack=given)
        assert [path for _, path, *_ in api.requests] == ["/api/keys"] * 2
        for stack, said in ((given, "--api-key"), ("nothing", "nothing")):
            with pytest.raises(LocalError, match=said):
                make_key(key=None, stack=stack)
