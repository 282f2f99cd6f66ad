"""Formats of variants and content negotiation, which ``infra/edge.yaml`` repeats for CloudFront. Pure."""

import re
from collections.abc import Collection

MIME_TYPES = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}
"""Media type by extension, in order of preference."""
MOVING = ("webp", "jpg")
"""Formats for an animated image: WebP, whose variants are animated, and JPEG for browsers without WebP."""


def choose_format(accept: str | None, allowed: Collection[str] = tuple(MIME_TYPES)) -> str:
    """The preferred allowed format that the Accept header names, other than by wildcard. If it names none:
    JPEG, which every client supports.
    """
    accepted = set()
    for part in (accept or "").lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        if not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters):
            accepted.add(media_type)
    return next((name for name, mime in MIME_TYPES.items() if name in allowed and mime in accepted), "jpg")
