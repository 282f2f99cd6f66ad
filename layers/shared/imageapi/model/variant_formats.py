"""Formats of variants, and content negotiation, which ``infra/edge.yaml`` repeats at CloudFront. Pure."""

import re
from collections.abc import Collection

MIME_TYPES = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}
"""Media type by extension, in order of preference."""
MOVING = ("webp", "jpg")
"""Formats negotiated for an animated image: only WebP variants are animated; JPEG is for browsers without
WebP.
"""


def choose_format(accept: str | None, allowed: Collection[str] = tuple(MIME_TYPES)) -> str:
    """The preferred allowed format that the Accept header names explicitly, not by wildcard; JPEG, which
    every client shows, when it names none.
    """
    accepted = set()
    for part in (accept or "").lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        if not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters):
            accepted.add(media_type)
    return next((name for name, mime in MIME_TYPES.items() if name in allowed and mime in accepted), "jpg")
