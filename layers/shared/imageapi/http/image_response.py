"""An image as a response."""

from imageapi.database import db
from imageapi.http.if_none_match import unless_known
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.images.serialize import serialize_detail


def image_response(
    request: Request, row: db.Row, names: tuple[str, ...] = (), permanent: bool = False
) -> Response:
    """200 with ``{"data": Image}`` and its ETag, 304 if the client has it."""
    image, etag = serialize_detail(row, request.base_url, names, permanent=permanent)
    answer = json_response(200, {"data": image}, {"ETag": etag, "Cache-Control": "private, no-cache"})
    is_read = request.method in ("GET", "HEAD")
    return unless_known(answer, request.header("If-None-Match")) if is_read else answer
