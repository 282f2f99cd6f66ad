"""ETags and conditional requests (RFC 9110, 13.1)."""

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from imageapi.http.response import Response

ETAG = re.compile(r'"([0-9]{1,9})(?:\.[0-9]+(?:-[0-9a-f]+)?)?"')
"""An ETag of a versioned resource; only its version is required. A weak ETag never matches."""


def resource_etag(thing: Mapping[str, Any]) -> str:
    """The ETag of a resource in the API: its ``version`` and a checksum of all fields. Some fields change
    without a new version, for example the last use of a key.
    """
    return f'"{thing["version"]}.{zlib.crc32(json.dumps(thing).encode())}"'


def parse_if_match(header: str | None) -> list[int] | None:
    """The versions in an If-Match header; None if all versions match, empty if none can match."""
    if header is None or header.strip() == "*":
        return None
    # An ETag with a version never contains a comma.
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
