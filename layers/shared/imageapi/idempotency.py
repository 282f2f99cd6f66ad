"""Idempotency-Key: the same request sent again is the same upload."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from imageapi import db
from imageapi.errors import InvalidRequestError, UnprocessableError, UploadInterruptedError
from imageapi.rows import COLUMNS

MAX_KEY_LENGTH = 255


def check_idempotency_key(key: str | None) -> None:
    """Refuse a header that cannot be stored.

    Raises:
        InvalidRequestError: ``idempotency_key_invalid``.
    """
    if key is None:
        return
    if not (1 <= len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidRequestError(
            f"Idempotency-Key must have 1 to {MAX_KEY_LENGTH} printable ASCII characters.",
            code="idempotency_key_invalid",
        )


def request_hash(request: Mapping[str, Any]) -> bytes:
    """Equal for two requests that ask for the same. 32 bytes.

    Args:
        request: JSON values, or bytes.
    """
    return hashlib.sha256(to_canonical_json(request).encode()).digest()


def to_canonical_json(value: Any) -> str:
    """The same text for the same value, whatever the order of its keys; bytes as hexadecimal digits."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=bytes.hex)


def resume(key: str, expected_hash: bytes, lease_seconds: int) -> db.Row:
    """The row that has this Idempotency-Key: ready, in progress, or interrupted. The sweep leaves it alone
    for ``lease_seconds``.

    Raises:
        UnprocessableError: ``idempotency_key_reused``: the key came with another request.
        UploadInterruptedError: the row has just been removed.
    """
    rows = db.query(
        f"""UPDATE image_metadata
            SET sweep_after = greatest(sweep_after + interval '1 microsecond',
                                       now() + make_interval(secs => %s))
            WHERE idempotency_key = %s RETURNING {COLUMNS}, request_hash""",
        (lease_seconds, key),
    )
    if not rows:
        raise UploadInterruptedError()
    if bytes(rows[0]["request_hash"]) != expected_hash:
        raise UnprocessableError(
            "This Idempotency-Key was used for another upload.", code="idempotency_key_reused"
        )
    return rows[0]
