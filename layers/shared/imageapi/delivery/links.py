"""Delivery links: a path that anyone may open until it expires, signed with SECRET_KEY. Pure.

A link is ``/images/<id>/<variant>?e=<expiry>&s=<signature>``. The expiry is in seconds since 1970; the
signature is HMAC-SHA256 over id, variant and expiry, truncated to 192 bits. Expiries are rounded up to
multiples of half the lifetime, so that repeated requests get the same link and caches can work.
"""

import base64
import hmac
import re
from collections.abc import Sequence
from functools import lru_cache

from imageapi.errors import ConfigurationError, ForbiddenError

SIGNATURE_BYTES = 24
_PURPOSE = "image-api delivery link v1"


def sign_link(image_id: str, variant: str, *, expires: int, keys: Sequence[str]) -> str:
    """The path and query of a link that lasts until ``expires`` (seconds since 1970, from
    :func:`expires_at`).

    Raises:
        ConfigurationError: there is no key to sign with.
    """
    if not keys:
        raise ConfigurationError("SECRET_KEY is not set on the server.", code="secret_key_not_configured")
    return f"/images/{image_id}/{variant}?e={expires}&s={_signature(image_id, variant, expires, keys[0])}"


def expires_at(now: float, lifetime: int) -> int:
    """When a link signed ``now`` expires: after 1 to 1.5 lifetimes, at the same time for all links signed
    in the same half lifetime.
    """
    step = max(1, lifetime // 2)
    return (int(now) + lifetime + step - 1) // step * step


def verify_link(
    image_id: str,
    variant: str,
    expires: str | None,
    signature: str | None,
    *,
    now: float,
    keys: Sequence[str],
) -> int:
    """Check a link. Every key is tried, in constant time, before the result is known.

    Returns:
        When the link expires, in seconds since 1970.

    Raises:
        ConfigurationError: there is no key to check with.
        ForbiddenError: ``link_invalid`` if any part was altered, ``link_expired`` if it was valid once.
    """
    if not keys:
        raise ConfigurationError("SECRET_KEY is not set on the server.", code="secret_key_not_configured")
    if not expires or not signature or not re.fullmatch(r"[0-9]{1,12}", expires):
        raise ForbiddenError("The link is not complete.")
    sent = signature.encode("utf-8", "surrogatepass")
    matches = [
        hmac.compare_digest(sent, _signature(image_id, variant, int(expires), key).encode()) for key in keys
    ]
    if not any(matches):
        raise ForbiddenError("The link is not valid.")
    if int(expires) <= int(now):
        raise ForbiddenError(
            "The link has expired. Ask for the image again to get a new one.", code="link_expired"
        )
    return int(expires)


def _signature(image_id: str, variant: str, expires: int, key: str) -> str:
    message = f"{_PURPOSE}\n{image_id}\n{variant}\n{expires}".encode("utf-8", "surrogatepass")
    code = _keyed(key).copy()
    code.update(message)
    return base64.b64encode(code.digest()[:SIGNATURE_BYTES], b"-_").decode()


@lru_cache(maxsize=8)
def _keyed(key: str) -> hmac.HMAC:
    """Hashes the key once: a page has hundreds of links."""
    return hmac.new(key.encode("utf-8", "surrogatepass"), digestmod="sha256")
