"""AWS Signature Version 4, and the domain of AWS endpoints."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Credentials:
    """Credentials for signing requests to AWS or an S3-compatible store."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def sign_request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    sha256: bytes,
    *,
    service: str,
    region: str,
    credentials: Credentials,
) -> dict[str, str]:
    """Sign a request without a query string. Importing botocore's signer takes longer than all other imports
    of a function.

    Args:
        url: its path must be percent-encoded.
        sha256: the digest of the body, 32 bytes.

    Returns:
        The headers including those of the signature
        (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    parts = urlsplit(url)
    signed = {**headers, "Host": parts.netloc, "X-Amz-Date": stamp}
    if credentials.session_token:
        signed["X-Amz-Security-Token"] = credentials.session_token
    lower = {name.lower(): value.strip() for name, value in signed.items()}
    names = ";".join(sorted(lower))
    lines = "".join(f"{name}:{lower[name]}\n" for name in sorted(lower))
    request = f"{method}\n{parts.path}\n\n{lines}\n{names}\n{sha256.hex()}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"Credential={credentials.access_key}/{scope}"
    signed["Authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
    return signed


def domain_of(region: str) -> str:
    """The domain of AWS endpoints in a region."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
