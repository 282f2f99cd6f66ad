"""The credentials for S3 and AWS, from variables or the function's role; AWS region and endpoints."""

from collections.abc import Mapping

from imageapi.config.environment import read_url, require
from imageapi.sigv4 import Credentials


def read_s3_credentials(env: Mapping[str, str]) -> Credentials:
    """MinIO's keys if they are set, else those of the function's role, else empty ones. They are also empty
    for MinIO without keys, which must not receive the role's.
    """
    if env.get("MINIO_ACCESS_KEY"):
        return Credentials(env["MINIO_ACCESS_KEY"], require(env, "MINIO_SECRET_KEY"))
    if env.get("MINIO_ENDPOINT_URL") or not env.get("AWS_ACCESS_KEY_ID"):
        return Credentials("", "")
    return read_role_credentials(env)


def read_endpoint(env: Mapping[str, str], *names: str) -> str | None:
    """The first variable that is set, else AWS_ENDPOINT_URL (all services), else None."""
    return next(filter(None, (read_url(env, name) for name in (*names, "AWS_ENDPOINT_URL"))), None)


def read_region(env: Mapping[str, str]) -> str:
    return env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"


def read_role_credentials(env: Mapping[str, str]) -> Credentials:
    return Credentials(
        require(env, "AWS_ACCESS_KEY_ID"),
        require(env, "AWS_SECRET_ACCESS_KEY"),
        env.get("AWS_SESSION_TOKEN") or None,
    )
