"""Images as responses."""

from typing import TYPE_CHECKING

from imageapi.database import db
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response, unless_known
from imageapi.images.etag import make_etag
from imageapi.images.serialize import DEFAULT_LINKS, LinkOptions, serialize_image

if TYPE_CHECKING:
    from imageapi.uploads.create_image import Stored


def image_response(request: Request, row: db.Row, options: LinkOptions = DEFAULT_LINKS) -> Response:
    """200 with ``{"data": Image}`` and its ETag, 304 if the client has it."""
    image = serialize_image(row, request.base_url, options)
    headers = {"ETag": make_etag(row, permanent=options.permanent), "Cache-Control": "private, no-cache"}
    answer = json_response(200, {"data": image}, headers)
    is_read = request.method in ("GET", "HEAD")
    return unless_known(answer, request.header("If-None-Match")) if is_read else answer


def stored_response(request: Request, stored: "Stored") -> Response:
    """201 with an image that this request created, 200 with an existing one."""
    image = serialize_image(stored.row, request.base_url)
    headers = {"Location": f"{request.base_url}/api/images/{image['id']}", "ETag": make_etag(stored.row)}
    return json_response(201 if stored.created else 200, {"data": image}, headers)
