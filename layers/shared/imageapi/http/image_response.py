"""Responses with one image."""

import time
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.delivery.links import expires_at, key_id
from imageapi.http.etag import unless_known
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.images.serialize import DEFAULT_LINKS, LinkOptions, serialize_image

if TYPE_CHECKING:
    from imageapi.uploads.create_image import Stored


def image_response(request: Request, row: db.Row, options: LinkOptions = DEFAULT_LINKS) -> Response:
    """200 with ``{"data": Image}`` and its ETag; 304 if the client has it."""
    image = serialize_image(row, request.base_url, options)
    headers = {
        "ETag": make_etag(row, request.base_url if options.permanent else None),
        "Cache-Control": "private, no-cache",
    }
    answer = json_response(200, {"data": image}, headers)
    is_read = request.method in ("GET", "HEAD")
    return unless_known(answer, request.header("If-None-Match")) if is_read else answer


def stored_response(request: Request, stored: "Stored") -> Response:
    """201 with an image that this request created; 200 with an existing image."""
    image = serialize_image(stored.row, request.base_url)
    headers = {
        "Location": f"{request.base_url}/api/images/{image['id']}",
        "ETag": make_etag(stored.row),
    }
    return json_response(201 if stored.created else 200, {"data": image}, headers)


def make_etag(row: Mapping[str, Any], permanent_base: str | None = None) -> str:
    """The ETag of an image's JSON: its version, the expiry of its links (for permanent ones, their version),
    and a checksum of what changes without either: the id of the image that it duplicates, and of permanent
    links their base URL and key.

    Args:
        permanent_base: the base URL of permanent links; None for links that expire.
    """
    others = row["duplicate_of"] or ""
    if permanent_base is None:
        lasts = expires_at(time.time(), get_settings().link_ttl)
    else:
        lasts = row["link_version"]
        others += f"{permanent_base} {key_id(get_settings().secret_keys[0])}"
    checksum = f"-{zlib.crc32(others.encode()):x}" if others else ""
    return f'"{row["version"]}.{lasts}{checksum}"'
