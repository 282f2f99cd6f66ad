"""The gateway's own errors, in the service's format. See GatewayResponses in the template."""

import json
import uuid
from http import HTTPStatus
from typing import Any

MAX_DIRECT_FILE_BYTES = 4_400_000
"""The limit of a direct upload, as in the template's response for REQUEST_TOO_LARGE."""

RETRIED = (429, 502, 504)
"""The statuses of transient errors."""

Headers = list[tuple[str, str]]


def make_error(status: int, message: str) -> dict[str, Any]:
    """The error for a malformed request."""
    return {"code": "request_refused", "message": message, "details": {"reason": HTTPStatus(status).name}}


def make_too_large(limit: str) -> dict[str, Any]:
    """The error for a body above a limit, for example "Lambda accepts (6 MB)"."""
    message = f"The request is larger than {limit}. Upload large files through POST /api/uploads."
    details = {"max_bytes": MAX_DIRECT_FILE_BYTES, "upload_route": "/api/uploads"}
    return {"code": "payload_too_large", "message": message, "details": details}


def make_response(status: int, error: dict[str, Any]) -> tuple[Headers, bytes]:
    """Headers and body of the response, with the id of the request."""
    request_id = str(uuid.uuid4())
    headers = [
        ("Content-Type", "application/json"),
        ("x-request-id", request_id),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    ]
    if status in RETRIED:
        headers.append(("Retry-After", "1"))
    return headers, json.dumps({"error": error | {"request_id": request_id}}).encode()
