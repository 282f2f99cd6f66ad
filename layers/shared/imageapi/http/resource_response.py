"""Responses with an API key or a webhook."""

from collections.abc import Mapping
from typing import Any

from imageapi.http.etag import resource_etag, unless_known
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response


def resource_response(
    request: Request,
    resource: Mapping[str, Any],
    status: int = 200,
    *,
    collection: str | None = None,
    **secret: str | None,
) -> Response:
    """``{"data": resource}`` with its ETag; for GET, 304 if the client has it.

    Args:
        collection: the path above the resource, for the Location header.
        secret: a field that no other response shows.
    """
    headers = {"ETag": resource_etag(resource)}
    if collection:
        headers["Location"] = f"{request.base_url}{collection}/{resource['id']}"
    answer = json_response(status, {"data": {**resource, **secret}}, headers)
    if request.method not in ("GET", "HEAD"):
        return answer
    answer.headers["Cache-Control"] = "private, no-cache"
    return unless_known(answer, request.header("If-None-Match"))
