"""The API's keys and the database passwords, from Secrets Manager."""

import json
from collections.abc import Mapping

from imageapi.config import secrets_client
from imageapi.config.aws_access import read_endpoint, read_region, read_role_credentials
from imageapi.errors import ConfigurationError

SECRETS_MAX_AGE = 300.0
"""Seconds after which they are read again."""
SECRET_ARNS = {
    "API_KEY": "API_KEY_SECRET_ARN",
    "SECRET_KEY": "SECRET_KEY_SECRET_ARN",
    "ORIGIN_VERIFY": "ORIGIN_VERIFY_SECRET_ARN",
    "GEMINI_API_KEY": "GEMINI_API_KEY_SECRET_ARN",
    "POSTGRES_PASSWORD": "DATABASE_SECRET_ARN",
    "DB_SERVICE_PASSWORD": "DB_SERVICE_SECRET_ARN",
    "DB_MANAGER_PASSWORD": "DB_MANAGER_SECRET_ARN",
}
"""For each variable, the variable with the ARN of its secret."""
KEYS = ("API_KEY", "SECRET_KEY", "ORIGIN_VERIFY", "GEMINI_API_KEY")
"""Variables and secrets that accept several values. All are valid; Gemini receives the first."""
USERS = {
    "POSTGRES_PASSWORD": "POSTGRES_USER",
    "DB_SERVICE_PASSWORD": "DB_SERVICE_USER",
    "DB_MANAGER_PASSWORD": "DB_MANAGER_USER",
}
"""Secrets in JSON, with a user name and a password."""
ADDRESS = {
    "host": "DB_HOST",
    "port": "DB_PORT",
    "dbname": "POSTGRES_DB",
    "sslmode": "DB_SSLMODE",
    "sslrootcert": "DB_SSLROOTCERT",
}
"""Further fields of the first one, by RDS's names."""


def make_access(env: Mapping[str, str]) -> secrets_client.Access:
    """Secrets Manager's endpoint and credentials."""
    endpoint = read_endpoint(env, "AWS_ENDPOINT_URL_SECRETS_MANAGER")
    return secrets_client.Access(read_region(env), endpoint, read_role_credentials(env))


def read_secrets(
    env: Mapping[str, str], cache: secrets_client.SecretCache
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """The secrets of the ``*_SECRET_ARN`` variables. A password or key that is set directly takes precedence.

    Returns:
        The database's users, passwords and address by variable name; and the values of each key, the current
        one first.

    Raises:
        ConfigurationError: a secret cannot be read or is malformed.
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
        database: dict[str, str] = {}
        for name in USERS.keys() & named.keys():
            secret = json.loads(found[named[name]][0])
            database |= {name: str(secret["password"]), USERS[name]: str(secret["username"])}
            if name == "POSTGRES_PASSWORD":
                database |= {ADDRESS[key]: str(secret[key]) for key in ADDRESS if secret.get(key)}
    except secrets_client.SecretError as error:
        raise ConfigurationError(
            f"The service cannot read its secrets: {error}. Check its permissions and the ARNs."
        ) from error
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "The secrets of the database users must be JSON with username and password."
        ) from None
    return database, {name: found[named[name]] for name in KEYS if name in named}
