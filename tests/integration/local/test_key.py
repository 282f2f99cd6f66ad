"""make key and keys-confirm against a scripted HTTP server, and a stack in an emulator of AWS."""

import json
from argparse import Namespace
from typing import Any
from uuid import uuid4

import pytest

from local.errors import LocalError
from local.key import run_key, run_keys_confirm
from local.settings import make_settings
from tests.integration.local.conftest import Api
from tests.support.aws import emulate_aws, make_client

MADE = {
    "id": "0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e",
    "name": "it's",
    "scopes": ["images:read", "images:write"],
    "expires_at": "2099-01-01T00:00:00+00:00",
    "key": "imgapi_secret",
}


def run(api_url: str | None = None, key: str | None = "right", **values: str | None) -> None:
    given = {"name": "it's", "scopes": "images:read", "expires": None, "stack": None} | values
    run_key(Namespace(base_url=api_url, api_key=key, **given), make_settings({}), None)


def test_a_key_is_made_and_printed_with_what_to_do_next(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers["POST"] = [(201, {"data": MADE})]
    run(api.url, scopes="images:read, images:write", expires="2099-01-01")
    said = capsys.readouterr().out
    run(api.url)

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
        run(api.url, scopes="x")


def confirm(api: Api, *keys: dict[str, Any], apply: bool) -> None:
    api.answers["GET"] = [(200, {"keys": keys})]
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
    for fact in ("imgapi_1", "images:read images:write", "made 2026-11-01", "id-1", "APPLY=1", "-X DELETE"):
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
    """One has its API key in a secret, one as a parameter."""
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

        run(key=None, stack=made)
        run(key="right", stack=given)
        assert [path for _, path, *_ in api.requests] == ["/api/keys"] * 2
        for stack, said in ((given, "--api-key"), ("nothing", "nothing")):
            with pytest.raises(LocalError, match=said):
                run(key=None, stack=stack)
