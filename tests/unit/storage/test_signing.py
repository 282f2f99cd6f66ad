"""Signed requests are identical to boto3's; file names survive in their headers."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import botocore.auth
import botocore.session
import botocore.signers
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from imageapi import sigv4
from imageapi.config.settings import Settings, load_settings
from imageapi.model.filenames import content_disposition
from imageapi.storage import signing
from urllib3 import HTTPResponse

MOMENT = datetime(2026, 4, 1, 9, 30, 15, 250_000, tzinfo=UTC)
SETTINGS = load_settings(
    {
        "DB_HOST": "db.example.com",
        "MINIO_ENDPOINT_URL": "http://minio:9000",
        "MINIO_PUBLIC_ENDPOINT_URL": "http://localhost:9000/",
        "MINIO_ACCESS_KEY": "an-access-key",
        "MINIO_SECRET_KEY": "a/storage+secret",
        "MINIO_BUCKET_NAME": "pictures",
        "AWS_REGION": "eu-central-1",
    }
)
ROLE = replace(SETTINGS.s3_keys, session_token="to/k+en==")
ON_AWS = replace(SETTINGS, s3_endpoint_url=None, s3_public_endpoint_url=None, s3_keys=ROLE)
IN_CHINA = replace(ON_AWS, region="cn-north-1")
SERVERS = {"a server of one's own": SETTINGS, "aws": ON_AWS, "aws in China": IN_CHINA}
# If awscrt is installed, boto3 signs with it, and orders the query differently.
CRT = [import_module("botocore.crt.auth")] if find_spec("awscrt") else []
KEY = "originals/0198c5f2-7b1e-7c3a-9d4e-5f6a7b8c9d0e.jpg"


@pytest.fixture(params=SERVERS)
def settings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings for the module, at a fixed time."""
    found = SERVERS[request.param]
    monkeypatch.setattr(signing, "get_settings", lambda: found)
    for module in (signing, sigv4):
        monkeypatch.setattr(module, "datetime", SimpleNamespace(now=lambda _: MOMENT))
    for module in (botocore.auth, botocore.signers, *CRT):
        monkeypatch.setattr(module, "get_current_datetime", lambda **_: MOMENT.replace(tzinfo=None))
    return found


def make_client(settings: Settings, *, payload_signing_enabled: bool = False) -> Any:
    style = "path" if settings.s3_public_endpoint_url else "virtual"
    s3: Any = {"addressing_style": style, "payload_signing_enabled": payload_signing_enabled}
    return botocore.session.get_session().create_client(
        "s3",
        region_name=settings.region,
        endpoint_url=settings.s3_public_endpoint_url,
        aws_access_key_id=settings.s3_keys.access_key,
        aws_secret_access_key=settings.s3_keys.secret_key,
        aws_session_token=settings.s3_keys.session_token,
        config=Config(signature_version="s3v4", s3=s3),
    )


def test_url_is_the_one_that_boto3_makes(settings: Settings) -> None:
    client, caching = make_client(settings), "private, max-age=900, immutable"
    for filename in ("a.jpg", "写真 1.jpg", 'a"b\\c%d.jpg', "a+b&c=d;e,f.png", "ä~é'(x)!*.webp"):
        disposition = content_disposition(filename, download=True)
        headers = {"content_type": "image/jpeg", "disposition": disposition, "cache_control": caching}
        names = ("ResponseContentType", "ResponseContentDisposition", "ResponseCacheControl")
        parameters = {
            "Bucket": settings.bucket,
            "Key": KEY,
            **dict(zip(names, headers.values(), strict=True)),
        }
        expected = client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=900)

        url = signing.presign_url("GET", KEY, expires_in=900, **headers)

        assert take_apart(url) == take_apart(expected)


def take_apart(url: str) -> tuple[str, list[tuple[str, str]]]:
    """The address and the sorted query."""
    parts = urlsplit(url)
    query = sorted(parse_qsl(parts.query, strict_parsing=True))
    assert "X-Amz-Signature" in dict(query)
    return f"{parts.scheme}://{parts.netloc}{parts.path}", query


def test_form_is_the_one_that_boto3_makes(settings: Settings) -> None:
    """It allows one size, one key and one type."""
    form = signing.presign_post("incoming/x", size_bytes=12_345, content_type="image/png", expires_in=3600)

    # The signature covers the order of the conditions, and boto3 has its own order: pass ours.
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    conditions = [c for c in policy["conditions"] if isinstance(c, list) or not set(c) & ADDED_BY_BOTO3]
    assert conditions == [
        {"bucket": settings.bucket},
        {"key": "incoming/x"},
        {"Content-Type": "image/png"},
        ["content-length-range", 12_345, 12_345],
    ]
    client = make_client(settings)
    url = client.generate_presigned_post(settings.bucket, "incoming/x")["url"]
    expected = botocore.signers.S3PostPresigner(client._request_signer).generate_presigned_post(
        request_dict={"url": url, "method": "POST", "headers": {}, "body": b"", "context": {}},
        fields={"key": "incoming/x", "Content-Type": "image/png"},
        conditions=conditions,
        expires_in=3600,
        region_name=settings.region,
    )
    assert form["url"].rstrip("/") == url.rstrip("/")
    assert form["fields"] == expected["fields"]
    assert form["expires_at"] == "2026-04-01T10:30:15.000Z"


ADDED_BY_BOTO3 = {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token"}


def test_put_is_the_one_that_boto3_sends(settings: Settings) -> None:
    """Except for headers that boto3 adds for itself, and what it leaves unsigned under TLS."""
    body = b"a picture"
    digest = hashlib.sha256(body).digest()
    caching = "private, max-age=31536000, immutable"

    url, headers = signing.sign_put(KEY, {"Content-Type": "image/jpeg", "Cache-Control": caching}, digest)

    sent: list[AWSPreparedRequest] = []

    def keep(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, HTTPHeaders(), HTTPResponse(BytesIO(), preload_content=False))

    private = replace(settings, s3_public_endpoint_url=settings.s3_endpoint_url)
    client = make_client(private, payload_signing_enabled=True)
    client.meta.events.register("before-send.s3.PutObject", keep)
    checksum = base64.b64encode(digest).decode()
    facts = {"ContentType": "image/jpeg", "CacheControl": caching, "ChecksumSHA256": checksum}
    client.put_object(Bucket=settings.bucket, Key=KEY, Body=body, **facts)
    (theirs,) = sent
    assert url == theirs.url
    assert headers.pop("Host") == urlsplit(url).netloc
    found = {name: theirs.headers[name] for name in headers}
    assert headers == {n: text.decode() if isinstance(text, bytes) else text for n, text in found.items()}
    assert headers["X-Amz-Content-SHA256"] == digest.hex()


def test_nothing_outlives_the_credentials_of_a_role(monkeypatch: pytest.MonkeyPatch) -> None:
    for keys, longest in ((ROLE, 900), (SETTINGS.s3_keys, 3600)):
        monkeypatch.setattr(signing, "get_settings", lambda keys=keys: replace(ON_AWS, s3_keys=keys))
        assert [signing.limit_lifetime(seconds) for seconds in (1, 3600)] == [1, longest]
