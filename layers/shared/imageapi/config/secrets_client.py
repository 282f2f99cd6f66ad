"""Secrets from AWS Secrets Manager, read at a cold start and then at intervals.

It uses the standard library: importing boto3 takes longer than all else that a list request needs.
"""

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from imageapi.sigv4 import Credentials, domain_of, sign_request

if TYPE_CHECKING:  # slow to import, and needed only to read a secret
    import http.client

TIMEOUT = 3.0
OVERLAP_SECONDS = 86_400
"""Seconds for which the previous value stays valid after a rotation."""
NOT_THERE = "ResourceNotFoundException"


class SecretError(Exception):
    """A secret cannot be read. The message is the name of the error, never a value."""


@dataclass(frozen=True)
class Access:
    """Address of Secrets Manager, and credentials."""

    region: str
    endpoint_url: str | None
    """None for AWS itself."""
    credentials: Credentials


class SecretCache:
    """The values of this process's secrets: the current one, then the previous one while it is valid."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, ...]] = {}
        self._asked_at = 0.0

    def read(self, arns: Collection[str], access: Access) -> dict[str, tuple[str, ...]]:
        """The values of each secret. Uncached ones are read over one connection.

        Raises:
            SecretError: one cannot be read.
        """
        missing = [arn for arn in arns if arn not in self._values]
        if missing:
            self._asked_at = time.monotonic()
            self._values |= fetch_secrets(missing, access)
        return {arn: self._values[arn] for arn in arns}

    def renew(self, make_access: Callable[[], Access], max_age: float) -> bool:
        """Read all secrets again if the last attempt was more than ``max_age`` seconds ago.

        Returns:
            Whether a value has changed.

        Raises:
            SecretError: one cannot be read; the cached values stay. ``make_access`` may raise other errors.
        """
        if not self._values or time.monotonic() - self._asked_at < max_age:
            return False
        self._asked_at = time.monotonic()
        values = fetch_secrets(list(self._values), make_access())
        changed = values != self._values
        self._values = values
        return changed

    def cache_clear(self) -> None:
        self._values = {}
        self._asked_at = 0.0


def fetch_secrets(arns: Iterable[str], access: Access) -> dict[str, tuple[str, ...]]:
    """Fetch each current value, and the previous one if the current one is younger than OVERLAP_SECONDS.

    Raises:
        SecretError: one cannot be read.
    """
    import http.client

    parts = urlsplit(access.endpoint_url or default_endpoint(access.region))
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    try:
        return {arn: _fetch(connection, parts.netloc, arn, access) for arn in arns}
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise SecretError(type(error).__name__) from error
    finally:
        connection.close()


def default_endpoint(region: str) -> str:
    return f"https://secretsmanager.{region}.{domain_of(region)}"


def _fetch(connection: "http.client.HTTPConnection", host: str, arn: str, access: Access) -> tuple[str, ...]:
    current = _get_value(connection, host, {"SecretId": arn}, access)
    values = [str(current["SecretString"])]
    if time.time() - float(current["CreatedDate"]) < OVERLAP_SECONDS:
        try:
            previous = {"SecretId": arn, "VersionStage": "AWSPREVIOUS"}
            values.append(str(_get_value(connection, host, previous, access)["SecretString"]))
        except SecretError as error:
            if str(error) != NOT_THERE:
                raise
    return tuple(values)


def _get_value(
    connection: "http.client.HTTPConnection", host: str, question: dict[str, str], access: Access
) -> dict[str, Any]:
    body = json.dumps(question).encode()
    headers = sign_request(
        "POST",
        f"//{host}/",
        {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "secretsmanager.GetSecretValue",
        },
        hashlib.sha256(body).digest(),
        service="secretsmanager",
        region=access.region,
        credentials=access.credentials,
    )
    connection.request("POST", "/", body, headers)
    response = connection.getresponse()
    answer: dict[str, Any] = json.loads(response.read())
    if response.status != 200:
        raise SecretError(str(answer.get("__type", response.status)).rpartition("#")[2])
    return answer
