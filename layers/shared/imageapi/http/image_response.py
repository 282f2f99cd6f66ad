"""An image as a response."""

from imageapi.database import db
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.images.serialize import serialize_detail


def image_response(
    request: Request, row: db.Row, names: tuple[str, ...] = (), permanent: bool = False
) -> Response:
    """200 with ``{"data": Image}`` and its ETag; arguments as ``serialize_image``."""
    image, etag = serialize_detail(row, request.base_url, names, permanent=permanent)
    return json_response(200, {"data": image}, {"ETag": etag, "Cache-Control": "private, no-cache"})
