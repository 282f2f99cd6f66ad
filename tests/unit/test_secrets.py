"""The signature of a request to Secrets Manager, held against botocore's."""

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from imageapi.secrets import Access, default_endpoint, sign

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
HOST = "secretsmanager.eu-west-1.amazonaws.com"
HEADERS = {
    "Content-Type": "application/x-amz-json-1.1",
    "Host": HOST,
    "X-Amz-Target": "secretsmanager.GetSecretValue",
}


@pytest.mark.parametrize("token", [None, "a+session/token=="])
@pytest.mark.parametrize("body", ['{"SecretId": "arn"}', '{"SecretId": "名前"}'])
def test_signature_is_the_one_of_botocore(
    token: str | None, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = Access("eu-west-1", None, "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: NOW.replace(tzinfo=None))
    request = AWSRequest("POST", f"https://{HOST}/", headers=HEADERS, data=body.encode())
    credentials = Credentials(access.access_key, access.secret_key, token)
    SigV4Auth(credentials, "secretsmanager", access.region).add_auth(request)

    signed = sign(HEADERS, body, access, NOW)

    assert signed["Authorization"] == request.headers["Authorization"]
    assert signed["X-Amz-Date"] == request.headers["X-Amz-Date"]


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
    assert "hidden" not in repr(Access("r", None, "hidden", "hidden", "hidden"))
