"""ETags of images, and the conditions that requests make with them (RFC 9110, 13.1)."""

import re
import time
import zlib
from collections.abc import Mapping
from typing import Any

from imageapi import links
from imageapi.config import get_settings
from imageapi.errors import PreconditionFailedError

ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})(?:\.[0-9]+(?:-[0-9a-f]+)?)?"')
"""What :func:`make_etag` makes, weak or not; the version alone will do."""


def make_etag(row: Mapping[str, Any], analysis: Mapping[str, Any] | None = None) -> str:
    """The ETag of an image as JSON: its version, how long the links in it last, and what changes without a
    new version: how far its analysis is, and whether the image is there that it is a duplicate of.
    """
    expires = links.expires_at(time.time(), get_settings().link_ttl)
    others = [row["duplicate_of"], *((analysis["status"], analysis["analyzed_at"]) if analysis else ())]
    if not any(others):
        return f'"{row["version"]}.{expires}"'
    state = zlib.crc32(" ".join(map(str, others)).encode())
    return f'"{row["version"]}.{expires}-{state:x}"'


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """Whether If-None-Match names this ETag (weak comparison, RFC 9110, 13.1.2)."""
    named = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    return etag in named or "*" in named


def parse_if_match(header: str | None) -> list[int] | None:
    """The versions that an If-Match header names; None when any will do.

    Raises:
        PreconditionFailedError: it names no version that any image can have.
    """
    if header is None or header.strip() == "*":
        return None
    # No ETag of an image has a comma in it.
    versions = [int(match[1]) for part in header.split(",") if (match := ETAG.fullmatch(part.strip()))]
    if not versions:
        raise PreconditionFailedError()
    return versions
