"""make key and keys-confirm against a scripted HTTP server, and a stack in an emulator of AWS."""

import json
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

import pytest

from local.errors import LocalError
from local.key import run_key, run_keys_confirm
from local.settings import make_settings
from tests.support.aws import emulate_aws, make_client
from tests.support.http_server import Handler, serve

MADE = {
    "id": "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e",
    "name": "it's",
    "scopes": ["images:read", "images:write"],
    "expires_at": "2099-01-01T00:00:00+00:00",
    "key": "imgapi_secret",
}


class Api:
    """Answers the root key ``right`` with ``answer``, or that of the method; keeps what it was sent."""

    def __init__(self) -> None:
        self.answer: tuple[int, Any] = (201, {"data": MADE})
        self.answers: dict[str, tuple[int, Any]] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self.url = ""


@pytest.fixture
def api() -> Iterator[Api]:
    found = Api()

    class Service(Handler):
        def respond(self) -> None:
            body = json.loads(self.read_body() or b"null")
            if self.headers["X-API-Key"] != "right":
                self.answer(401, b"{}")
                return
            found.requests.append((self.command, self.path, body))
            status, value = found.answers.get(self.command, found.answer)
            self.answer(status, json.dumps(value).encode())

    with serve(Service) as found.url:
        yield found


def run(api_url: str | None = None, key: str | None = "right", **values: str | None) -> None:
    given = {"name": "it's", "scopes": "images:read", "expires": None, "stack": None} | values
    run_key(Namespace(base_url=api_url, api_key=key, **given), make_settings({}), None)


def test_a_key_is_made_and_printed_with_what_to_do_next(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    run(api.url, scopes="images:read, images:write", expires="2099-01-01")

    asked = {"name": "it's", "scopes": ["images:read", "images:write"], "expires_at": "2099-01-01"}
    assert api.requests == [("POST", "/api/keys", asked)]
    said = capsys.readouterr().out
    assert "\n  imgapi_secret\n" in said
    assert f"curl -H 'X-API-Key: imgapi_secret' {api.url}/api/keys/self" in said
    assert f"{api.url}/api/keys/{MADE['id']}" in said
    assert "right" not in said


def test_a_key_without_an_end_sends_none(api: Api) -> None:
    run(api.url)

    assert api.requests[0][2] == {"name": "it's", "scopes": ["images:read"]}


def test_what_the_api_refuses_is_told(api: Api) -> None:
    api.answer = (422, {"error": {"code": "scope_unknown", "message": "There is no scope 'x'."}})

    with pytest.raises(LocalError, match="422 scope_unknown: There is no scope 'x'"):
        run(api.url, scopes="x")


def confirm(api: Api, *, apply: bool) -> None:
    arguments = Namespace(base_url=api.url, api_key="right", stack=None, apply=apply)
    run_keys_confirm(arguments, make_settings({}), None)


def listed(number: int, **changes: str | None) -> dict[str, Any]:
    key = MADE | {"id": f"id-{number}", "name": f"key {number}", "prefix": f"imgapi_{number}"}
    times = {"created_at": "2026-11-01T10:00:00+00:00", "last_used_at": None, "revoked_at": None}
    return key | times | {"suspended_at": "2026-12-01T10:00:00+00:00"} | changes


def test_suspended_keys_are_listed_first_and_confirmed_when_asked(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = [
        listed(1),
        listed(2),
        listed(3, suspended_at=None),
        listed(4, revoked_at="2026-12-02T10:00:00+00:00"),
    ]
    api.answers = {"GET": (200, {"keys": keys}), "POST": (200, {"data": MADE})}

    confirm(api, apply=False)

    said = capsys.readouterr().out
    assert [name in said for name in ("key 1", "key 2", "key 3", "key 4")] == [True, True, False, False]
    for fact in ("imgapi_1", "images:read images:write", "made 2026-11-01", "id-1", "APPLY=1", "-X DELETE"):
        assert fact in said
    assert [method for method, _, _ in api.requests] == ["GET"]

    confirm(api, apply=True)
    assert [path for method, path, _ in api.requests if method == "POST"] == [
        "/api/keys/id-1/confirm",
        "/api/keys/id-2/confirm",
    ]


def test_a_key_that_cannot_be_confirmed_is_named(api: Api) -> None:
    error = {"error": {"code": "database_unavailable", "message": "Try again."}}
    api.answers = {"GET": (200, {"keys": [listed(1)]}), "POST": (503, error)}

    with pytest.raises(LocalError, match="'key 1' was not confirmed: 503 database_unavailable"):
        confirm(api, apply=True)


def test_without_a_suspended_key_there_is_nothing_to_do(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers = {"GET": (200, {"keys": []})}
    confirm(api, apply=True)
    assert "No API key is suspended." in capsys.readouterr().out


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with emulate_aws() as url:
        yield url


@pytest.fixture
def stacks(aws: str, api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two stacks: `made` has its API key in a secret, `given` as a parameter."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    client = make_client("cloudformation", aws)
    manager = make_client("secretsmanager", aws)
    arn = manager.create_secret(Name="api-key", SecretString="right")["ARN"]
    for stack, outputs in (
        ("made", {"Url": {"Value": f"{api.url}/"}, "ApiKeySecret": {"Value": arn}}),
        ("given", {"Url": {"Value": api.url}}),
    ):
        template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, "Outputs": outputs}
        client.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    yield
    for stack in ("made", "given"):
        client.delete_stack(StackName=stack)
    manager.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@pytest.mark.usefixtures("stacks")
def test_a_stack_on_aws_has_its_address_and_the_root_key(api: Api) -> None:
    run(key=None, stack="made")
    run(key="right", stack="given")

    assert [path for _, path, _ in api.requests] == ["/api/keys"] * 2


@pytest.mark.usefixtures("stacks")
def test_a_key_that_aws_does_not_tell_must_be_given(api: Api) -> None:
    with pytest.raises(LocalError, match="--api-key"):
        run(key=None, stack="given")
    with pytest.raises(LocalError, match="nothing"):
        run(key=None, stack="nothing")
