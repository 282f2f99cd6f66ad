"""Which variables name credentials and secrets, and where their values come from: the environment itself,
Secrets Manager, or the function's role.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from imageapi.config import secrets_manager
from imageapi.config.environment import read_url, require
from imageapi.errors import ConfigurationError
from imageapi.sigv4 import Credentials

TIMEOUT = 3.0
SECRET_ARNS = {
    "API_KEY": "API_KEY_SECRET_ARN",
    "SECRET_KEY": "SECRET_KEY_SECRET_ARN",
    "GEMINI_API_KEY": "GEMINI_API_KEY_SECRET_ARN",
    "POSTGRES_PASSWORD": "DATABASE_SECRET_ARN",
    "DB_SERVICE_PASSWORD": "DB_SERVICE_SECRET_ARN",
}
"""Which variable names the secret that holds another's value."""
KEYS = ("API_KEY", "SECRET_KEY", "GEMINI_API_KEY")
"""Variables and secrets that may hold several values: all are accepted. Of Gemini's key the first is sent."""
USERS = {"POSTGRES_PASSWORD": "POSTGRES_USER", "DB_SERVICE_PASSWORD": "DB_SERVICE_USER"}
"""Secrets that are JSON with a user's name beside the password."""


def read_s3_credentials(env: Mapping[str, str]) -> Credentials:
    """MinIO's keys when they are set, else those of the function's role."""
    if env.get("MINIO_ACCESS_KEY"):
        return Credentials(env["MINIO_ACCESS_KEY"], require(env, "MINIO_SECRET_KEY"))
    if env.get("MINIO_ENDPOINT_URL"):
        raise ConfigurationError("MINIO_ACCESS_KEY is not set.")
    return read_role_credentials(env)


def read_endpoint(env: Mapping[str, str], *names: str) -> str | None:
    """The first address that is set, else AWS_ENDPOINT_URL, which is for all services, else None."""
    return next(filter(None, (read_url(env, name) for name in (*names, "AWS_ENDPOINT_URL"))), None)


def read_region(env: Mapping[str, str]) -> str:
    """AWS's region."""
    return env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"


def read_role_credentials(env: Mapping[str, str]) -> Credentials:
    """Lambda puts them into the environment; with SnapStart behind a local address, which renews them."""
    address = env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if address and not env.get("AWS_ACCESS_KEY_ID"):
        return _fetch_role_credentials(address, env.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", ""))
    return Credentials(
        require(env, "AWS_ACCESS_KEY_ID"),
        require(env, "AWS_SECRET_ACCESS_KEY"),
        env.get("AWS_SESSION_TOKEN") or None,
    )


def _fetch_role_credentials(url: str, token: str) -> Credentials:
    """From the address at which Lambda with SnapStart keeps them."""
    from urllib.request import Request, urlopen

    request = Request(url, headers={"Authorization": token})  # noqa: S310
    try:
        with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            values = json.load(answer)
        expiry = values.get("Expiration")
        expire_at = datetime.fromisoformat(expiry).timestamp() if expiry else None
        return Credentials(values["AccessKeyId"], values["SecretAccessKey"], values.get("Token"), expire_at)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError("The credentials of the function's role cannot be read.") from error


def make_access(env: Mapping[str, str]) -> secrets_manager.Access:
    """How Secrets Manager is reached."""
    endpoint = read_endpoint(env, "AWS_ENDPOINT_URL_SECRETS_MANAGER")
    return secrets_manager.Access(read_region(env), endpoint, read_role_credentials(env))


def read_secrets(
    env: Mapping[str, str], cache: secrets_manager.SecretCache
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """The secrets that variables ``*_SECRET_ARN`` name. A value that is set outright wins.

    Returns:
        Users and passwords of the database, by the names of their variables; and the keys, each of which may
        have several values, the current one first.

    Raises:
        ConfigurationError: a secret cannot be read, or has another form than it should.
    """
    named = {
        name: env[variable]
        for name, variable in SECRET_ARNS.items()
        if env.get(variable) and not env.get(name)
    }
    if not named:
        return {}, {}
    try:
        found = cache.read(named.values(), make_access(env))
        users = {}
        for password in USERS.keys() & named.keys():
            database = json.loads(found[named[password]][0])
            users[password] = str(database["password"])
            users[USERS[password]] = str(database["username"])
    except secrets_manager.SecretError as error:
        raise ConfigurationError(f"The secrets cannot be read ({error}).") from error
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "The secrets of the database's users must be JSON with username and password."
        ) from None
    return users, {name: found[named[name]] for name in KEYS if name in named}
