"""make key against a scripted HTTP server, and a stack in an emulator of AWS."""

import json
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

import pytest

from local.errors import LocalError
from local.key import run_key
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
    """Answers POST /api/keys of the root key ``right``; keeps what it was sent."""

    def __init__(self) -> None:
        self.answer: tuple[int, Any] = (201, {"data": MADE})
        self.requests: list[tuple[str, str, Any]] = []
        self.url = ""


@pytest.fixture
def api() -> Iterator[Api]:
    found = Api()

    class Service(Handler):
        def respond(self) -> None:
            body = json.loads(self.read_body())
            if self.headers["X-API-Key"] != "right":
                self.answer(401, b"{}")
                return
            found.requests.append((self.command, self.path, body))
            status, value = found.answer
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


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("http://127.0.0.1:1", "right", "make run"),
        (None, "wrong", "does not take this key"),
        (None, "", "is empty"),
    ],
)
def test_without_an_api_that_can_be_used(api: Api, url: str | None, key: str, said: str) -> None:
    with pytest.raises(LocalError, match=said):
        run(url or api.url, key)
    assert not api.requests


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
