"""GET /api/images/{id}/changes: the changes of one image."""

from imageapi.changes.history import read_history
from imageapi.http.page_response import link_header
from imageapi.http.request import Request
from imageapi.http.response import JSON, Response
from imageapi.http.router import Router

router = Router()


@router.operation("listImageChanges")
def changes(request: Request, image_id: str) -> Response:
    """200 with ``{"changes": [Change], "next_cursor": str | null}``, newest first."""
    page, cursor = read_history(image_id, **request.parameters)
    return Response(200, JSON, page, link_header(request, cursor))
