"""Idempotency-Key: a repeated request is executed once."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from imageapi.actor import ROOT, get_actor
from imageapi.model.schemas import InvalidParameterError

MAX_KEY_LENGTH = 255
KEY_DAYS = 7
"""Days after which the sweep removes a key."""


class IdempotencyKey(NamedTuple):
    """The stored form of a key, and the hash of its request (32 bytes)."""

    key: str
    request_hash: bytes


def parse_idempotency_key(key: str | None) -> str | None:
    """The stored form of the header. It includes the id of the API key, so two API keys never share one.

    Raises:
        InvalidParameterError: it is too long, or contains other characters.
    """
    if key is None:
        return None
    if not (1 <= len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidParameterError(
            "Idempotency-Key", "value", f"must have 1 to {MAX_KEY_LENGTH} printable ASCII characters"
        )
    owner = get_actor().key_id or ROOT
    # Headers contain no line feed, so a root key's never equals another key's.
    return key if owner == ROOT else f"{owner}\n{key}"


def request_hash(request: Mapping[str, Any]) -> bytes:
    """32 bytes that are equal for equal requests.

    Args:
        request: JSON values or bytes.
    """
    text = json.dumps(request, sort_keys=True, separators=(",", ":"), default=bytes.hex)
    return hashlib.sha256(text.encode()).digest()


def name_request(key: str | None, operation: str, body: Mapping[str, Any]) -> IdempotencyKey | None:
    """The Idempotency-Key of a request with a JSON body; None without one. Raises as
    :func:`parse_idempotency_key`.
    """
    stored = parse_idempotency_key(key)
    return IdempotencyKey(stored, request_hash({"operation": operation, "body": body})) if stored else None
