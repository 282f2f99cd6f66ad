"""The API: SAM CLI's own local API Gateway, with worker processes where it has containers."""

import logging
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any

from flask import Flask, Response, g, jsonify, request
from samcli.local.apigw.local_apigw_service import LocalApigwService
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
)

from local.gateway.http_server import MAX_BODY_BYTES, make_refusal
from local.gateway.pool import Pool
from local.gateway.stats import watch
from local.gateway.worker import EventTooLargeError, FunctionError, FunctionTimeoutError, ThrottledError
from local.servers.process import HOST

MAX_DIRECT_FILE_BYTES = 4_400_000
"""Of a direct upload, as in the template's response for REQUEST_TOO_LARGE."""


class FunctionRunner:
    """Replaces SAM CLI's LocalLambdaRunner."""

    def __init__(self, pools: Mapping[str, Pool]) -> None:
        self._pools = pools

    def is_debugging(self) -> bool:
        return False

    def invoke(self, function_name: str, event: str, stdout: Any, stderr: Any = None, **_: Any) -> None:
        """Write the result to `stdout`. Raises InvokeError, which make_app() turns into a response."""
        g.function = function_name
        stdout.write_str(self._pools[function_name].invoke(event).decode())


def make_app(api: Any, pools: Mapping[str, Pool], port: int, is_ours: Callable[[str], bool]) -> Flask:
    """A WSGI app with the template's routes; `api` is samcli's, `port` the one that clients use.

    Requests whose Host header `is_ours` does not know are refused.
    """
    logging.getLogger("samcli").setLevel(logging.ERROR)  # it warns of each answer without a body
    service = LocalApigwService(api=api, lambda_runner=FunctionRunner(pools), port=port, host=HOST)
    service.create()
    app: Flask = service._app
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    watch(app)
    app.before_request(lambda: _refuse_host(is_ours))
    app.before_request(lambda: _mend_text(api.binary_media_types))
    answers: dict[type[Exception], tuple[int, str, str]] = {
        FunctionError: (502, "internal_server_error", "Internal server error"),
        FunctionTimeoutError: (504, "integration_timeout", "Endpoint request timed out"),
        ThrottledError: (429, "throttled", "Rate Exceeded."),
        EventTooLargeError: (
            413,
            "payload_too_large",
            _too_large("Lambda accepts (6 MB, with base64 around it)"),
        ),
        RequestEntityTooLarge: (413, "payload_too_large", _too_large("API Gateway accepts (10 MB)")),
        NotFound: (404, "not_found", "There is no such route."),
        InternalServerError: (502, "internal_server_error", "Internal server error"),
    }
    for kind, answer in answers.items():
        app.register_error_handler(kind, lambda _, answer=answer: _error_response(*answer))
    app.register_error_handler(MethodNotAllowed, _refuse_method)
    app.register_error_handler(HTTPException, _refuse_request)
    return app


def _refuse_method(error: MethodNotAllowed) -> Response:
    """For methods that API Gateway's ANY does not cover, such as TRACE."""
    allow = ", ".join(sorted(error.valid_methods or []))
    response = _error_response(405, "method_not_allowed", f"This route takes {allow}.")
    response.headers["Allow"] = allow
    return response


def _refuse_request(error: HTTPException) -> Response:
    """A body that is not what its headers say: a broken chunk, or fewer bytes than announced."""
    status = error.code or 500
    return _finish(make_refusal(status, error.description or error.name), status)


def _refuse_host(is_ours: Callable[[str], bool]) -> Response | None:
    header = request.headers.get("Host")
    if header is None or is_ours(header):  # browsers always send one
        return None
    message = "This host is not the service's own. Set PUBLIC_BASE_URL to the address that browsers use."
    return _error_response(421, "host_unknown", message)


def _mend_text(binary_media_types: Collection[str]) -> None:
    """Replace bytes that are not UTF-8 in a text body, as API Gateway does; samcli would answer 502."""
    data = request.get_data()
    if request.mimetype not in binary_media_types and "*/*" not in binary_media_types:
        try:
            data.decode()
        except UnicodeDecodeError:
            request._cached_data = data.decode(errors="replace").encode()  # where get_data() looks next


def _too_large(limit: str) -> str:
    return f"The request is larger than {limit}. Upload large files through POST /api/uploads."


def _error_response(status: int, code: str, message: str) -> Response:
    """An error in the service's form (see GatewayResponses in the template), with API Gateway's `message`."""
    error: dict[str, Any] = {"code": code, "message": message}
    if status == 413:
        error["details"] = {"max_bytes": MAX_DIRECT_FILE_BYTES, "upload_route": "/api/uploads"}
    return _finish(error, status)


def _finish(error: dict[str, Any], status: int) -> Response:
    response = jsonify({"error": error, "message": error["message"]})
    response.status_code = status
    response.headers["x-request-id"] = str(uuid.uuid4())
    return response
