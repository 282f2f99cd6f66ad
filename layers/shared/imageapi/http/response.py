"""Responses and error responses."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imageapi.actor import get_actor
from imageapi.errors import AppError, UnauthorizedError

JSON = "application/json"
CHALLENGE = 'ApiKey realm="image-api", header="X-API-Key"'
"""Required with 401 (RFC 9110, 11.6.1). No browser opens a dialog for this scheme."""


@dataclass
class Response:
    """A response. API Gateway receives a ``bytes`` body in base64."""

    status_code: int
    content_type: str | None = None
    body: str | bytes = ""
    headers: dict[str, str] = field(default_factory=dict)
    error_code: str | None = None
    """For the log."""

    def to_event(self) -> dict[str, Any]:
        """The response in API Gateway's format."""
        headers = {"Content-Type": self.content_type} if self.content_type else {}
        return {
            "statusCode": self.status_code,
            "body": base64.b64encode(self.body).decode() if isinstance(self.body, bytes) else self.body,
            "isBase64Encoded": isinstance(self.body, bytes),
            "multiValueHeaders": {name: [value] for name, value in {**headers, **self.headers}.items()},
        }


def json_response(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    """A value as compact JSON, in valid UTF-8 even if an error quotes a lone surrogate."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(status, JSON, text.encode("utf-8", "replace").decode(), headers=dict(headers or {}))


def error_response(error: AppError) -> Response:
    """``{"error": {"code", "message", "request_id", "details"?}}`` with the error's status."""
    content: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "request_id": get_actor().request_id,
    }
    if error.details:
        content["details"] = error.details
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    if isinstance(error, UnauthorizedError):
        headers["WWW-Authenticate"] = CHALLENGE
    response = json_response(error.status, {"error": content}, headers)
    response.error_code = error.code
    return response
