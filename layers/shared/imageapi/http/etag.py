"""ETags, and the conditional requests that name them (RFC 9110, 13.1)."""

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from imageapi.http.response import Response

ETAG = re.compile(r'"([0-9]{1,9})(?:\.[0-9]+(?:-[0-9a-f]+)?)?"')
"""An ETag of a thing with a version; the version alone is enough. A weak one never matches."""


def resource_etag(thing: Mapping[str, Any]) -> str:
    """The ETag of a thing as the API shows it: its ``version``, and a checksum of all of it, since some of it
    changes without a new version, such as the last use of a key.
    """
    return f'"{thing["version"]}.{zlib.crc32(json.dumps(thing).encode())}"'


def parse_if_match(header: str | None) -> list[int] | None:
    """The versions in an If-Match header; None if any version matches, empty if none can match."""
    if header is None or header.strip() == "*":
        return None
    # No such ETag has a comma in it.
    return [int(match[1]) for part in header.split(",") if (match := ETAG.fullmatch(part.strip()))]


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """Whether If-None-Match names this ETag (weak comparison)."""
    named = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    return etag in named or "*" in named


def unless_known(response: Response, if_none_match: str | None) -> Response:
    """The response, or 304 with its headers if the client already has it."""
    if etag_matches(if_none_match, response.headers["ETag"]):
        return Response(304, headers=response.headers)
    return response
