"""The formats of variants, and which of them an Accept header gets. Pure."""

import re
from collections.abc import Collection

MIME_TYPES = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}
"""Extension: media type; in the order in which they are preferred."""
MOVING = ("webp", "jpg")
"""The formats that a browser's choice is between when the image moves: only WebP variants do, and JPEG is
for who shows no WebP.
"""


def choose_format(accept: str | None, allowed: Collection[str] = tuple(MIME_TYPES)) -> str:
    """The best of the allowed formats that an Accept header names outright; JPEG, which everything shows,
    when it names none.
    """
    accepted = set()
    for part in (accept or "").lower().split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        if not any(re.fullmatch(r"q=0(\.0*)?", parameter) for parameter in parameters):
            accepted.add(media_type)
    return next((name for name, mime in MIME_TYPES.items() if name in allowed and mime in accepted), "jpg")
