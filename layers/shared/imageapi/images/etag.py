"""The version of an image: its ETag, and the If-Match header that names it (RFC 9110, 13.1.1)."""

import re
import time
import zlib
from collections.abc import Mapping
from typing import Any

from imageapi.config.settings import get_settings
from imageapi.delivery.links import expires_at

ETAG = re.compile(r'"([0-9]{1,9})(?:\.[0-9]+(?:-[0-9a-f]+)?)?"')
"""An ETag from :func:`make_etag`; the version alone is enough. A weak one never matches."""


def make_etag(row: Mapping[str, Any], *, permanent: bool = False) -> str:
    """The ETag of an image as JSON: its version, the expiry of the links in it (the link version of permanent
    ones), and what changes without a new version: the image that it duplicates.
    """
    lasts = row["link_version"] if permanent else expires_at(time.time(), get_settings().link_ttl)
    if not row["duplicate_of"]:
        return f'"{row["version"]}.{lasts}"'
    return f'"{row["version"]}.{lasts}-{zlib.crc32(row["duplicate_of"].encode()):x}"'


def parse_if_match(header: str | None) -> list[int] | None:
    """The versions in an If-Match header; None if any version matches, empty if none can match."""
    if header is None or header.strip() == "*":
        return None
    # No ETag of an image has a comma in it.
    return [int(match[1]) for part in header.split(",") if (match := ETAG.fullmatch(part.strip()))]
