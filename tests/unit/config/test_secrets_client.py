"""Requests to Secrets Manager, with signatures compared to botocore's; and a role's credentials."""

import hashlib
from datetime import datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from imageapi import sigv4
from imageapi.config.secrets_client import Access, default_endpoint

HOST = "secretsmanager.eu-west-1.amazonaws.com"
HEADERS = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "secretsmanager.GetSecretValue"}


def test_signature_is_the_one_of_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    keys, body = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "a+session/token=="), b"{}"
    signed = sigv4.sign_request(
        "POST",
        f"https://{HOST}/",
        HEADERS,
        hashlib.sha256(body).digest(),
        service="secretsmanager",
        region="eu-west-1",
        credentials=sigv4.Credentials(*keys),
    )

    now = datetime.strptime(signed["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: now)
    request = AWSRequest("POST", f"https://{HOST}/", headers=HEADERS, data=body)
    SigV4Auth(Credentials(*keys), "secretsmanager", "eu-west-1").add_auth(request)
    assert signed["Host"] == HOST
    assert signed["Authorization"] == request.headers["Authorization"]


def test_endpoint_and_access_that_shows_no_secret() -> None:
    assert default_endpoint("eu-west-1") == f"https://{HOST}"
    assert default_endpoint("cn-north-1") == "https://secretsmanager.cn-north-1.amazonaws.com.cn"
    assert "hidden" not in repr(Access("r", None, sigv4.Credentials("hidden", "hidden", "hidden")))
