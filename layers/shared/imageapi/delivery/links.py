"""Delivery links: paths that need no API key, signed with SECRET_KEY. Pure.

An expiring link is ``/images/<id>/<variant>?e=<expiry>&k=<key id>&s=<signature>``, with the expiry in seconds
since 1970. A permanent link has ``v=<link version>`` instead of ``e``: it is valid until the image's link
version grows. The signature is HMAC-SHA256 of id, variant, and expiry or version, truncated to 192 bits. The
key id identifies the signing key.

Expiries are rounded up to multiples of half the lifetime, so that repeated requests get the same, cacheable
link. ``infra/edge.yaml`` checks the same links at CloudFront.
"""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from imageapi.errors import ConfigurationError, ForbiddenError

SIGNATURE_BYTES = 24
KEY_ID_BYTES = 6
MAX_SKEW_SECONDS = 60
"""Maximum difference between the clocks of the signing and the verifying machine."""
_PURPOSE = "image-api delivery link v1"


class Validity(NamedTuple):
    """The end of a link's validity: one of the two is set.

    Attributes:
        expires: seconds since 1970.
        version: the link version of the image.
    """

    expires: int | None = None
    version: int | None = None

    @property
    def signed(self) -> str:
        """Its part of the signed message."""
        return f"v{self.version}" if self.expires is None else str(self.expires)


def sign_link(
    image_id: str, variant: str, validity: Validity, *, keys: Sequence[str], is_animated: bool = False
) -> str:
    """The path and query of a link.

    Args:
        is_animated: adds a hint for CloudFront, which cannot read the image.

    Raises:
        ConfigurationError: ``keys`` is empty.
    """
    if not keys:
        raise ConfigurationError("SECRET_KEY is not set. Set it on the server.")
    lasts = f"v={validity.version}" if validity.expires is None else f"e={validity.expires}"
    hint = "&m=1" if is_animated else ""
    signature = _signature(image_id, variant, validity, keys[0])
    return f"/images/{image_id}/{variant}?{lasts}&k={key_id(keys[0])}&s={signature}{hint}"


def expires_at(now: float, lifetime: int) -> int:
    """The expiry of a link signed ``now``: after 1 to 1.5 lifetimes, and equal for all links signed in the
    same half lifetime.
    """
    step = max(1, lifetime // 2)
    return (int(now) + lifetime + step - 1) // step * step


def verify_link(
    image_id: str,
    variants: Sequence[str],
    query: Mapping[str, Any],
    *,
    now: float,
    lifetime: int,
    keys: Sequence[str],
) -> Validity:
    """Check a link with each key that has its key id, in constant time: a match does not end the check.

    Args:
        variants: one of these names must be signed.
        query: ``e`` or ``v``, ``s``, and ``k``; a link without ``k`` is from an earlier release.
        lifetime: LINK_TTL_SECONDS; a link is valid for at most 1.5 times as long.

    Raises:
        ConfigurationError: ``keys`` is empty.
        ForbiddenError: ``link_invalid`` if any part was altered, ``link_expired`` if it was valid earlier.
    """
    if not keys:
        raise ConfigurationError("SECRET_KEY is not set. Set it on the server.")
    validity, sent = _parse(query)
    candidates = [key for key in keys if query.get("k") in (None, key_id(key))]
    matches = [
        hmac.compare_digest(sent, _signature(image_id, variant, validity, key).encode())
        for key in candidates
        for variant in variants
    ]
    if not any(matches):
        raise ForbiddenError("The link is not valid. Request the image again for a new one.")
    if validity.expires is not None:
        if validity.expires <= int(now):
            raise ForbiddenError(
                "The link has expired. Request the image again for a new one.", code="link_expired"
            )
        if validity.expires > now + 1.5 * lifetime + MAX_SKEW_SECONDS:
            raise ForbiddenError(
                "The link expires too far in the future. Request the image again for a new one."
            )
    return validity


def _parse(query: Mapping[str, Any]) -> tuple[Validity, bytes]:
    """The validity and the signature of a link."""
    expires, version, signature = query.get("e"), query.get("v"), query.get("s")
    lasts = expires or version
    if not lasts or not signature or (expires and version) or not re.fullmatch(r"0|[1-9][0-9]{0,11}", lasts):
        raise ForbiddenError("The link is incomplete. Copy the whole link.")
    validity = Validity(expires=int(lasts)) if expires else Validity(version=int(lasts))
    return validity, signature.encode("utf-8", "surrogatepass")


@lru_cache(maxsize=8)
def key_id(key: str) -> str:
    """The public id of a key, which does not reveal the key."""
    code = hmac.digest(key.encode("utf-8", "surrogatepass"), b"image-api key id", "sha256")
    return base64.b64encode(code[:KEY_ID_BYTES], b"-_").decode()


def _signature(image_id: str, variant: str, validity: Validity, key: str) -> str:
    message = f"{_PURPOSE}\n{image_id}\n{variant}\n{validity.signed}".encode("utf-8", "surrogatepass")
    code = _keyed(key).copy()
    code.update(message)
    return base64.b64encode(code.digest()[:SIGNATURE_BYTES], b"-_").decode()


@lru_cache(maxsize=8)
def _keyed(key: str) -> hmac.HMAC:
    """Hashes the key only once: a page has hundreds of links."""
    return hmac.new(key.encode("utf-8", "surrogatepass"), digestmod="sha256")
