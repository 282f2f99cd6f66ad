"""Signed S3 requests: URLs and forms that let a browser speak to the object store itself, and the put of an
object.

Only botocore's signers are used, not its client: signing needs no model of S3 and no connection, and a client
would double what the first request of an execution environment costs.
"""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from imageapi.config import Settings, get_settings


def presign_get(key: str, *, expires_in: int, content_type: str, disposition: str, cache_control: str) -> str:
    """A URL that anyone may GET for ``expires_in`` seconds; the store answers with the given headers."""
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest

    settings = get_settings()
    request = AWSRequest(
        "GET",
        f"{_public_bucket_url(settings)}/{quote(key)}",
        params={
            "response-content-type": content_type,
            "response-content-disposition": disposition,
            "response-cache-control": cache_control,
        },
    )
    S3SigV4QueryAuth(_credentials(settings), "s3", settings.region, expires=expires_in).add_auth(request)
    return str(request.url)


def presign_post(key: str, *, size_bytes: int, content_type: str, expires_in: int) -> dict[str, Any]:
    """A form that anyone may POST for ``expires_in`` seconds, with exactly this key, type and size.

    Returns:
        ``{"url": str, "fields": {name: value}, "expires_at": ISO 8601}``; the file goes last, as ``file``.
    """
    from botocore.auth import S3SigV4PostAuth
    from botocore.awsrequest import AWSRequest

    settings = get_settings()
    expires_at = datetime.now(UTC) + timedelta(seconds=expires_in)
    fields = {"key": key, "Content-Type": content_type}
    request = AWSRequest("POST", _public_bucket_url(settings))
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
    return {
        "url": _public_bucket_url(settings),
        "fields": fields,
        "expires_at": expires_at.isoformat(timespec="seconds"),
    }


def sign_put(key: str, headers: Mapping[str, str], sha256: bytes) -> tuple[str, dict[str, str]]:
    """The URL and all headers of a request that stores an object, whose bytes the store checks against
    ``sha256`` (32 bytes) and keeps it as the object's checksum.
    """
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest

    class KnownPayload(S3SigV4Auth):
        """Signs the bytes by their hash, which is known, so that they need not be read again."""

        def payload(self, request: Any) -> str:
            return sha256.hex()

    settings = get_settings()
    checksum = {"x-amz-checksum-sha256": b64encode(sha256).decode()}
    request = AWSRequest("PUT", f"{_bucket_url(settings)}/{quote(key)}", headers={**headers, **checksum})
    KnownPayload(_credentials(settings), "s3", settings.region).add_auth(request)
    return str(request.url), dict(request.headers.items())


def content_disposition(filename: str, *, download: bool) -> str:
    """The header that names a file in any script (RFC 6266): plain ASCII for old clients, UTF-8 beside it."""
    kind = "attachment" if download else "inline"
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in filename)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _bucket_url(settings: Settings) -> str:
    return _bucket_at(settings.s3_endpoint_url, settings)


def _public_bucket_url(settings: Settings) -> str:
    return _bucket_at(settings.s3_public_endpoint_url, settings)


def _bucket_at(endpoint_url: str | None, settings: Settings) -> str:
    """The bucket on a server of one's own, or on AWS."""
    if endpoint_url:
        return f"{endpoint_url.rstrip('/')}/{settings.bucket}"
    domain = "amazonaws.com.cn" if settings.region.startswith("cn-") else "amazonaws.com"
    host = f"s3.{settings.region}.{domain}"
    # AWS's certificate is for one name before its own: a bucket with a dot in it would be two.
    return (
        f"https://{host}/{settings.bucket}" if "." in settings.bucket else f"https://{settings.bucket}.{host}"
    )


def _credentials(settings: Settings) -> Any:
    from botocore.credentials import Credentials

    return Credentials(settings.s3_access_key, settings.s3_secret_key, settings.s3_session_token)
