"""Conditional requests (RFC 9110, 13.1)."""

from imageapi.http.response import Response


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """Whether If-None-Match names this ETag (weak comparison)."""
    named = [part.strip().removeprefix("W/") for part in (if_none_match or "").split(",")]
    return etag in named or "*" in named


def unless_known(response: Response, if_none_match: str | None) -> Response:
    """The response, or 304 with its headers if the client already has it."""
    if etag_matches(if_none_match, response.headers["ETag"]):
        return Response(304, headers=response.headers)
    return response
