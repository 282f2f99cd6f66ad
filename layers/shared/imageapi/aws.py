"""What only AWS has: the credentials of a function's role, and the names of its servers."""

import json
from dataclasses import dataclass, field
from datetime import datetime

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


def domain_of(region: str) -> str:
    """What the names of AWS's servers in a region end with."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
