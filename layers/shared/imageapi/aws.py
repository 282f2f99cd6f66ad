"""What only AWS has: the credentials of a function's role, signed requests, and the names of its servers."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

TIMEOUT = 3.0


class CredentialsError(Exception):
    """The role's credentials cannot be read."""


@dataclass(frozen=True)
class Credentials:
    """What requests to AWS, or to a server like S3, are signed with."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    expire_at: float | None = None
    """In seconds since 1970; None where that is not told."""


def fetch_role_credentials(url: str, token: str) -> Credentials:
    """The credentials of the function's role, from where Lambda with SnapStart keeps them.

    Raises:
        CredentialsError: they cannot be read.
    """
    from urllib.request import Request, urlopen

    try:
        with urlopen(Request(url, headers={"Authorization": token}), timeout=TIMEOUT) as answer:  # noqa: S310
            values = json.load(answer)
        expire_at = (
            datetime.fromisoformat(values["Expiration"]).timestamp() if "Expiration" in values else None
        )
        return Credentials(values["AccessKeyId"], values["SecretAccessKey"], values.get("Token"), expire_at)
    except (OSError, ValueError, KeyError) as error:
        raise CredentialsError(type(error).__name__) from error


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
    """Sign a request without a query, by Signature Version 4. botocore's signer would do the same, but takes
    longer to import than all else that a function needs.

    Args:
        url: its path escaped.
        sha256: of the body, 32 bytes.

    Returns:
        The headers with those that sign them
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
    """What the names of AWS's servers in a region end with."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
