"""Check the API key of a request."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from imageapi.actor import ROOT
from imageapi.api_keys.format import hash_key, is_well_formed
from imageapi.errors import ConfigurationError, ForbiddenError, UnauthorizedError
from imageapi.model.scopes import SCOPES
from imageapi.telemetry.logs import get_logger


class Key(NamedTuple):
    """A valid key: its id (ROOT for a root key), scopes and name."""

    id: str
    scopes: tuple[str, ...]
    name: str = "API_KEY"
    expires_at: datetime | None = None

    def check_scope(self, *wanted: str) -> None:
        """Require one of these scopes.

        Raises:
            ForbiddenError: ``scope_missing``; ``details.scope`` is the first of these scopes.
        """
        if not any(scope in self.scopes for scope in wanted):
            raise ForbiddenError(
                f"This API key lacks the scope {' or '.join(wanted)}. Use a key that has it.",
                code="scope_missing",
                details={"scope": wanted[0]},
            )

    def check_all_scopes(self, wanted: Sequence[str]) -> None:
        """Require each of these scopes. Raises as :meth:`check_scope`."""
        for scope in wanted:
            self.check_scope(scope)


class InvalidKeyError(UnauthorizedError):
    """401: the key is not valid, for the reason in ``details.reason``."""

    code = "api_key_invalid"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, details={"reason": reason})


def check_key(presented: str | None, root_keys: Sequence[str]) -> Key:
    """The key of a request.

    All root keys are compared in constant time, so timing does not reveal which part of one is right. Other
    keys are found by their hash, whose timing reveals nothing about the key. Each check queries the database
    once, so a revoked key stops working immediately.

    Raises:
        ConfigurationError: no root key is configured.
        UnauthorizedError: ``api_key_missing``, ``api_key_invalid``.
        ForbiddenError: ``api_key_suspended``.
    """
    if not root_keys:
        raise ConfigurationError("API_KEY is not set. Set it on the server.")
    if not presented:
        raise UnauthorizedError(
            "The API key is missing. Send it in the header X-API-Key.", code="api_key_missing"
        )
    sent = presented.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(sent, key.encode("utf-8", "surrogatepass")) for key in root_keys]
    if any(matches):
        get_logger().append_keys(key_id=ROOT)
        return Key(ROOT, SCOPES)
    if not is_well_formed(presented):
        raise InvalidKeyError("malformed", "This API key is malformed. Check that it is complete.")
    return _find_key(hash_key(presented))


def _find_key(sha256: bytes) -> Key:
    from imageapi.catalog import api_keys  # root keys do not need it

    row = api_keys.use(sha256)
    if row is None or not hmac.compare_digest(bytes(row["sha256"]), sha256):
        raise InvalidKeyError("unknown", "This API key does not exist. Use a key of this service.")
    get_logger().append_keys(key_id=row["id"])  # also in the log of a rejected request
    if row["revoked_at"]:
        raise InvalidKeyError("revoked", "This API key was revoked. Use another key.")
    if row["is_expired"]:
        raise InvalidKeyError("expired", "This API key has expired. Use another key.")
    if row["suspended_at"]:
        # Not 401, because the client should keep its key.
        raise ForbiddenError(
            "This API key is suspended, because the database was restored from a backup. Ask the operator of"
            " the service to run `make keys-confirm`.",
            code="api_key_suspended",
        )
    return Key(row["id"], tuple(row["scopes"]), row["name"], row["expires_at"])
