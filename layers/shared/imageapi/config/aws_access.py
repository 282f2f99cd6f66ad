"""The credentials for S3 and AWS, from variables or the function's role; AWS region and endpoints."""

import json
from collections.abc import Mapping
from datetime import datetime

from imageapi.config.environment import read_url, require
from imageapi.errors import ConfigurationError
from imageapi.sigv4 import Credentials

TIMEOUT = 3.0


def read_s3_credentials(env: Mapping[str, str]) -> Credentials:
    """MinIO's keys when they are set, else those of the function's role. Empty ones without either, and for
    MinIO without keys, which must not get the role's.
    """
    if env.get("MINIO_ACCESS_KEY"):
        return Credentials(env["MINIO_ACCESS_KEY"], require(env, "MINIO_SECRET_KEY"))
    has_role = env.get("AWS_ACCESS_KEY_ID") or env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if env.get("MINIO_ENDPOINT_URL") or not has_role:
        return Credentials("", "")
    return read_role_credentials(env)


def read_endpoint(env: Mapping[str, str], *names: str) -> str | None:
    """The first of these variables that is set, else AWS_ENDPOINT_URL (all services), else None."""
    return next(filter(None, (read_url(env, name) for name in (*names, "AWS_ENDPOINT_URL"))), None)


def read_region(env: Mapping[str, str]) -> str:
    return env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"


def read_role_credentials(env: Mapping[str, str]) -> Credentials:
    """From the environment or, with SnapStart, from a local endpoint that renews them."""
    address = env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if address and not env.get("AWS_ACCESS_KEY_ID"):
        return _fetch_role_credentials(address, env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", ""))
    return Credentials(
        require(env, "AWS_ACCESS_KEY_ID"),
        require(env, "AWS_SECRET_ACCESS_KEY"),
        env.get("AWS_SESSION_TOKEN") or None,
    )


def _fetch_role_credentials(url: str, token: str) -> Credentials:
    """From Lambda's local endpoint (SnapStart)."""
    from urllib.request import Request, urlopen

    request = Request(url, headers={"Authorization": token})  # noqa: S310
    try:
        with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            values = json.load(answer)
        expiry = values.get("Expiration")
        expire_at = datetime.fromisoformat(expiry).timestamp() if expiry else None
        return Credentials(values["AccessKeyId"], values["SecretAccessKey"], values.get("Token"), expire_at)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError("The service cannot read the credentials of the function's role.") from error
