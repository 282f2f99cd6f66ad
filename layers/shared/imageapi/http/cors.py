"""CORS headers, only for the origins in CORS_ALLOW_ORIGINS (https://fetch.spec.whatwg.org)."""

from collections.abc import Sequence

from imageapi.config.settings import get_settings
from imageapi.errors import AppError
from imageapi.http.request import Request

ACCEPTED_HEADERS = "Content-Type, X-API-Key, Idempotency-Key, If-Match, If-None-Match"
EXPOSED_HEADERS = "ETag, Link, Location, Retry-After, x-request-id"


def cors_headers(request: Request, methods: Sequence[str]) -> dict[str, list[str]]:
    """The headers to add to a response.

    Args:
        methods: those of the requested path.
    """
    origin = request.header("Origin")
    try:
        allowed = get_settings().cors_allow_origins
    except AppError:
        return {}  # the response reports the error
    if not allowed:
        return {}
    headers = {"Vary": ["Origin"]}
    if origin in allowed:
        headers["Access-Control-Allow-Origin"] = [str(origin)]
        headers["Access-Control-Expose-Headers"] = [EXPOSED_HEADERS]
        if request.method == "OPTIONS":
            headers["Access-Control-Allow-Methods"] = [", ".join(methods)]
            headers["Access-Control-Allow-Headers"] = [ACCEPTED_HEADERS]
            headers["Access-Control-Max-Age"] = ["3600"]
    return headers
