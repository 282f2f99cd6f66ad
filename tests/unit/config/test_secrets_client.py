"""Requests to Secrets Manager, with signatures compared to botocore's; and a role's credentials."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.request import Request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from imageapi import sigv4
from imageapi.config import settings
from imageapi.config.secrets_client import Access, default_endpoint
from imageapi.events.run_event import run_event

from tests.support.events import LambdaContext

HOST = "secretsmanager.eu-west-1.amazonaws.com"
HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "X-Amz-Target": "secretsmanager.GetSecretValue",
}


@pytest.mark.parametrize("token", [None, "a+session/token=="])
@pytest.mark.parametrize("body", [b"{}", '{"SecretId": "名前"}'.encode()])
def test_signature_is_the_one_of_botocore(
    token: str | None, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = sigv4.sign_request(
        "POST",
        f"https://{HOST}/",
        HEADERS,
        hashlib.sha256(body).digest(),
        service="secretsmanager",
        region="eu-west-1",
        credentials=sigv4.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token),
    )

    now = datetime.strptime(signed["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: now)
    request = AWSRequest("POST", f"https://{HOST}/", headers=HEADERS, data=body)
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token)
    SigV4Auth(credentials, "secretsmanager", "eu-west-1").add_auth(request)
    assert signed["Host"] == HOST
    assert signed["Authorization"] == request.headers["Authorization"]


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("eu-west-1", "https://secretsmanager.eu-west-1.amazonaws.com"),
        ("cn-north-1", "https://secretsmanager.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_endpoint(region: str, url: str) -> None:
    assert default_endpoint(region) == url


def test_access_shows_no_secret() -> None:
    assert "hidden" not in repr(Access("r", None, sigv4.Credentials("hidden", "hidden", "hidden")))


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Settings of a function with SnapStart, whose role's credentials come from a local address; yields the
    requests made to it.
    """
    asked: list[str] = []

    def answer(request: Request, timeout: float) -> BytesIO:
        asked.append(f"{request.full_url} {request.headers['Authorization']}")
        values = {"AccessKeyId": f"key-{len(asked)}", "SecretAccessKey": "secret", "Token": "token"}
        values["Expiration"] = "2026-11-25T12:00:00Z"
        return BytesIO(json.dumps(values).encode())

    monkeypatch.setattr("urllib.request.urlopen", answer)
    for name in ("AWS_ACCESS_KEY_ID", "MINIO_ACCESS_KEY", "MINIO_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9001/role")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "permission")
    monkeypatch.setenv("DB_HOST", "db.invalid")
    monkeypatch.setenv("MINIO_BUCKET_NAME", "images")
    settings.get_settings.cache_clear()
    yield asked
    settings.get_settings.cache_clear()


def test_a_role_of_snapstart(role: list[str]) -> None:
    """Its credentials are reread once they are old."""
    keys = []
    for max_age in (300.0, 300.0, -1.0):
        settings.refresh_settings(max_age)
        keys.append(settings.get_settings().s3_keys.access_key)

    assert keys == ["key-1", "key-1", "key-2"]
    expire_at = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
    assert settings.get_settings().s3_keys.expire_at == expire_at
    assert role[0] == "http://127.0.0.1:9001/role permission"


def test_events_renew_a_role_too(role: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def work(event: dict[str, Any]) -> dict[str, Any]:
        return {"key": settings.get_settings().s3_keys.access_key}

    def keys_of_two_events() -> list[str]:
        context: Any = LambdaContext()
        return [run_event("test", work, {}, context)["key"] for _ in range(2)]

    assert keys_of_two_events() == ["key-1", "key-1"]
    monkeypatch.setattr("imageapi.events.run_event.SECRETS_MAX_AGE", -1.0)
    assert keys_of_two_events() == ["key-2", "key-3"]
