"""Recognize requests from CloudFront, which adds a header with a secret. Pure."""

import hmac
from collections.abc import Sequence

from imageapi.errors import ForbiddenError

HEADER = "X-Origin-Verify"


def came_through_cdn(sent: str | None, secrets: Sequence[str]) -> bool:
    """Whether HEADER is one of the secrets, compared in constant time; False without CloudFront."""
    data = (sent or "").encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(data, secret.encode()) for secret in secrets)


def refuse_bypass(sent: str | None, secrets: Sequence[str]) -> None:
    """If the service is behind CloudFront, reject requests that bypass it.

    Raises:
        ForbiddenError: ``edge_bypassed``.
    """
    if secrets and not came_through_cdn(sent, secrets):
        raise ForbiddenError(
            "The request did not come through CloudFront. Use the public URL of the service.",
            code="edge_bypassed",
        )
