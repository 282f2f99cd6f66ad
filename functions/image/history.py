"""GET /api/images/{id}/history: the changes of one image."""

from imageapi.changes.history import read_history
from imageapi.http.request import Request
from imageapi.http.response import JSON, Response
from imageapi.http.router import Router

router = Router()


@router.get("/api/images/<image_id>/history")
def history(request: Request, image_id: str) -> Response:
    """200 with ``{"changes": [Change], "next_cursor": str | null}``, newest first."""
    return Response(200, JSON, read_history(image_id, request.check_query("limit", "cursor")))
