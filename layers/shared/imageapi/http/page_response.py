"""Responses with one page of a list."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from imageapi.http.request import Request
from imageapi.http.response import Response, json_response


def page_response(request: Request, page: Mapping[str, Any]) -> Response:
    """200 with a page, which contains ``next_cursor``, and a Link header if there is a next page."""
    return json_response(200, page, link_header(request, page["next_cursor"]))


def link_header(request: Request, cursor: str | None) -> dict[str, str]:
    """The ``Link`` header (RFC 8288) to the next page; empty at the end."""
    if cursor is None:
        return {}
    query = urlencode({**request.query_lists, "cursor": [cursor]}, doseq=True)
    return {"Link": f'<{request.base_url}{request.path}?{query}>; rel="next"'}
