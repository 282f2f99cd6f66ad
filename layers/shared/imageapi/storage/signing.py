"""Signed S3 requests: presigned URLs and forms for browsers, and the PUT of an object.

URLs and forms use botocore's signers without its client, which would load the S3 model: that would double the
cost of an execution environment's first request.
"""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from imageapi.config.settings import Settings, get_settings
from imageapi.model.times import show_time
from imageapi.sigv4 import domain_of, sign_request

ROLE_SECONDS = 900
"""The longest lifetime, in seconds, of a signature by a role's credentials, whose expiry is unknown."""


def limit_lifetime(seconds: int) -> int:
    """The lifetime of a new signature: ``seconds``, or less if its credentials may expire earlier."""
    return min(seconds, ROLE_SECONDS) if get_settings().s3_keys.session_token else seconds


def presign_url(
    method: str, key: str, *, expires_in: int, content_type: str, disposition: str, cache_control: str
) -> str:
    """A URL that permits GET and HEAD for ``expires_in`` seconds. The store returns the given headers."""
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest

    settings = get_settings()
    request = AWSRequest(
        method,
        f"{_bucket_url(settings, settings.s3_public_endpoint_url)}/{quote(key)}",
        params={
            "response-content-type": content_type,
            "response-content-disposition": disposition,
            "response-cache-control": cache_control,
        },
    )
    S3SigV4QueryAuth(_credentials(settings), "s3", settings.region, expires=expires_in).add_auth(request)
    return str(request.url)


def presign_post(key: str, *, size_bytes: int, content_type: str, expires_in: int) -> dict[str, Any]:
    """A form that permits POST for ``expires_in`` seconds, with exactly this key, type and size.

    Returns:
        ``{"url": str, "fields": {name: value}, "expires_at": RFC 3339}``. The field ``file`` must be last.
    """
    from botocore.auth import S3SigV4PostAuth
    from botocore.awsrequest import AWSRequest

    settings = get_settings()
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=expires_in)
    fields = {"key": key, "Content-Type": content_type}
    url = _bucket_url(settings, settings.s3_public_endpoint_url)
    request = AWSRequest("POST", url)
    request.context["s3-presign-post-fields"] = fields
    request.context["s3-presign-post-policy"] = {
        "expiration": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "conditions": [
            {"bucket": settings.bucket},
            {"key": key},
            {"Content-Type": content_type},
            ["content-length-range", size_bytes, size_bytes],
        ],
    }
    S3SigV4PostAuth(_credentials(settings), "s3", settings.region).add_auth(request)
    return {"url": url, "fields": fields, "expires_at": show_time(expires_at)}


def sign_put(key: str, headers: Mapping[str, str], sha256: bytes) -> tuple[str, dict[str, str]]:
    """The URL and all headers of a PUT. The store checks the bytes against ``sha256`` (32 bytes), which it
    keeps as the object's checksum.
    """
    settings = get_settings()
    url = f"{_bucket_url(settings, settings.s3_endpoint_url)}/{quote(key)}"
    digests = {
        "X-Amz-Content-SHA256": sha256.hex(),
        "x-amz-checksum-sha256": b64encode(sha256).decode(),
    }
    signed = sign_request(
        "PUT",
        url,
        {**headers, **digests},
        sha256,
        service="s3",
        region=settings.region,
        credentials=settings.s3_credentials,
    )
    return url, signed


def public_origin() -> str:
    """The origin (scheme and host) from which browsers load images."""
    settings = get_settings()
    parts = urlsplit(_bucket_url(settings, settings.s3_public_endpoint_url))
    return f"{parts.scheme}://{parts.netloc}"


def _bucket_url(settings: Settings, endpoint_url: str | None) -> str:
    """The bucket's URL on a self-hosted server or AWS. A slash and the key follow it."""
    if endpoint_url:
        return f"{endpoint_url.rstrip('/')}/{settings.bucket}"
    host = f"s3.{settings.region}.{domain_of(settings.region)}"
    return f"https://{settings.bucket}.{host}"


def _credentials(settings: Settings) -> Any:
    import botocore.credentials

    keys = settings.s3_credentials
    return botocore.credentials.Credentials(keys.access_key, keys.secret_key, keys.session_token)
