"""The API: SAM CLI's local API Gateway, with worker processes instead of containers.

Routes, events and responses are SAM CLI's. Its slow steps for each request are skipped: collecting telemetry,
writing the event as JSON that includes a whole upload in base64, and parsing the result twice.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from samcli.local.apigw.local_apigw_service import LocalApigwService
from werkzeug.datastructures import Headers
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.wrappers import Request, Response

from local.gateway.error_responses import make_response, make_too_large
from local.gateway.pool import Pool
from local.gateway.response_stats import GATEWAY, PATH, Stats
from local.gateway.worker import EventTooLargeError, FunctionTimeoutError, InvokeError, ThrottledError
from local.servers.ports import HOST

LOG = logging.getLogger(__name__)
ERRORS: dict[type[Exception], tuple[int, dict[str, Any]]] = {
    FunctionTimeoutError: (504, {"code": "function_timed_out", "message": "Endpoint request timed out"}),
    ThrottledError: (429, {"code": "throttled", "message": "Rate Exceeded."}),
    EventTooLargeError: (413, make_too_large("Lambda accepts (6 MB, with base64 around it)")),
    NotFound: (
        404,
        {"code": "not_found", "message": "This route does not exist. GET /openapi.json lists all routes."},
    ),
    Exception: (502, {"code": "function_failed", "message": "Internal server error"}),
}
UNKNOWN_HOST = {
    "code": "host_unknown",
    "message": "This host is not the service's own. Set PUBLIC_BASE_URL to the address that browsers use.",
}


class ApiRequest(Request):
    """A request with the Flask attributes that SAM CLI reads, and the function's name for the statistics."""

    endpoint: str
    view_args: Mapping[str, Any]
    function = GATEWAY


class Gateway:
    """A WSGI app with the template's routes. `api` is samcli's; clients use `port`.

    It rejects requests whose Host header does not pass `is_ours`.
    """

    def __init__(
        self, api: Any, pools: Mapping[str, Pool], port: int, is_ours: Callable[[str], bool]
    ) -> None:
        logging.getLogger("samcli").setLevel(logging.ERROR)  # it warns if a response lacks a body
        runner = SimpleNamespace(is_debugging=lambda: False)
        self._service = LocalApigwService(api=api, lambda_runner=runner, port=port, host=HOST)
        self._service.create()
        routes = self._service._app.url_map
        routes.merge_slashes = False  # `//` matches no route instead of redirecting
        self._routes = routes.bind(HOST)
        self._pools = pools
        self._is_ours = is_ours
        self._stats = Stats()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        started = time.perf_counter()
        request = ApiRequest(environ)
        response = self._respond(request)
        if request.path != PATH:
            milliseconds = (time.perf_counter() - started) * 1000
            self._stats.add(request.function, response.status_code, milliseconds)
        return response(environ, start_response)

    def _respond(self, request: ApiRequest) -> Response:
        host = request.headers.get("Host")
        if host is not None and not self._is_ours(host):  # browsers always send one
            return _make_error(421, UNKNOWN_HOST)
        if request.path == PATH:
            return Response(json.dumps(self._stats.summary()), mimetype="application/json")
        try:
            return self._invoke(request)
        except MethodNotAllowed as error:  # a method that API Gateway's ANY excludes, such as TRACE
            allow = ", ".join(sorted(error.valid_methods or []))
            message = f"This route takes {allow}."
            response = _make_error(405, {"code": "method_not_allowed", "message": message})
            response.headers["Allow"] = allow
            return response
        except Exception as error:
            if not isinstance(error, (NotFound, InvokeError)):  # the pool has logged the latter
                LOG.exception("%s %r", request.method, request.path)
            return _make_error(*next(ERRORS[kind] for kind in ERRORS if isinstance(error, kind)))

    def _invoke(self, request: ApiRequest) -> Response:
        service = self._service
        request.endpoint, request.view_args = self._routes.match(request.path, request.method)
        request.headers = Headers(list(request.headers))  # SAM CLI would scan all of WSGI's for each header
        route = service._get_current_route(request)
        request.function = route.function_name
        body = request.stream.read()
        event = service._generate_lambda_event(request, route, request.method, request.endpoint)
        if body and not event["isBase64Encoded"]:
            # Like API Gateway. samcli would return 502 for bytes that are not UTF-8.
            event["body"], body = body.decode(errors="replace"), b""
        result = self._pools[route.function_name].invoke(json.dumps(event), body)
        status, headers, content = service._parse_v1_payload_format_lambda_output(
            result, service.api.binary_media_types, request, route.event_type
        )
        return Response(content, status, headers)


def _make_error(status: int, error: dict[str, Any]) -> Response:
    headers, body = make_response(status, error)
    return Response(body, status, headers)
