"""From an API Gateway event to a response: routes, API keys, errors as JSON, request ids, the log."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from imageapi.actor import acting_as
from imageapi.api_keys.check import check_key
from imageapi.config.secrets import SECRETS_MAX_AGE
from imageapi.config.settings import get_settings, refresh_settings
from imageapi.deadline import function_limit
from imageapi.errors import AppError, MaintenanceError, MethodNotAllowedError, NotFoundError
from imageapi.http.cdn_bypass import HEADER, refuse_bypass
from imageapi.http.cors import cors_headers
from imageapi.http.json_body import parse_json_object
from imageapi.http.operations import Operation
from imageapi.http.request import Request
from imageapi.http.response import Response, error_response
from imageapi.http.router import Router
from imageapi.model.parameters import parse_query
from imageapi.model.schemas import check_body
from imageapi.model.scopes import READ
from imageapi.telemetry.logs import add_context, get_logger
from imageapi.telemetry.metrics import record_request
from imageapi.webhooks.wake import wake_webhooks

REFUSED_MAX_AGE = 60.0
"""After a rejected request, secrets older than this (seconds) are read again."""
# Responses contain links, which must reach neither caches nor, as Referer, other sites.
DEFAULT_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
HSTS_SECONDS = 31_536_000
"""How long browsers use only https for this host. Its subdomains may belong to other services."""
HEALTH = "/health"
READING_METHODS = ("GET", "HEAD", "OPTIONS")


class App(Router):
    """The routes of one function."""

    def handle(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Handle one API Gateway event. Each response has ``x-request-id``, each request a log line."""
        start = time.perf_counter()
        request = Request(event)
        add_context(context)
        refresh_settings(SECRETS_MAX_AGE)
        with function_limit(context), acting_as(None, context.aws_request_id):
            answer = self._answer(request)
            # The keys may have been rotated since they were read. Nothing was done yet.
            if answer.status_code in (401, 403) and refresh_settings(REFUSED_MAX_AGE):
                answer = self._answer(request)
        # A request that fails with 5xx may have committed its change.
        if request.method not in READING_METHODS and not 400 <= answer.status_code < 500:
            wake_webhooks()
        response = answer.to_event()
        if request.method == "HEAD":
            response.update(body="", isBase64Encoded=False)
        headers = response["multiValueHeaders"]
        headers["x-request-id"] = [context.aws_request_id]
        for name, value in DEFAULT_HEADERS.items():
            headers.setdefault(name, [value])
        if request.header("X-Forwarded-Proto") == "https":
            headers["Strict-Transport-Security"] = [f"max-age={HSTS_SECONDS}"]
        for name, values in cors_headers(request, self.allowed_methods(request.path)).items():
            headers[name] = [*headers.get(name, []), *values]
        _record(request, answer, context, (time.perf_counter() - start) * 1000)
        return response

    def _answer(self, request: Request) -> Response:
        """The response of the matching route. Errors become responses only here."""
        try:
            return self._dispatch(request)
        except AppError as error:
            if error.status >= 500:
                get_logger().error(error.code, exc_info=error)
            return error_response(error)
        except Exception as error:
            get_logger().exception("internal_error", exc_info=error)
            return error_response(AppError())

    def _dispatch(self, request: Request) -> Response:
        found = self.find(request.method, request.path)
        if not found:
            return self._refuse_method(request)
        route, arguments = found
        operation = route.operation
        refuse_bypass(request.header(HEADER), _origin_secrets(operation))
        if not operation.in_maintenance and get_settings().maintenance:
            raise MaintenanceError()
        if operation.scopes is None:
            return route.handler(_check(request, operation), **arguments)
        key = check_key(request.header("X-API-Key"), get_settings().api_keys)
        if operation.scopes:
            key.check_scope(*operation.scopes)
        request = _check(replace(request, key=key), operation)
        with acting_as(key.id):
            answer = route.handler(request, **arguments)
        if not operation.hides_image or READ in key.scopes:
            return answer
        kept = {name: value for name, value in answer.headers.items() if name in ("Location", "ETag")}
        # The id of an upload is that of its image.
        location = f"{request.base_url}/api/images/{''.join(arguments.values()).lower()}"
        return Response(204, headers={"Location": location, **kept})

    def _refuse_method(self, request: Request) -> Response:
        """The response to OPTIONS, or to a method that the path does not support."""
        methods = ", ".join(self.allowed_methods(request.path))
        if not methods:
            raise NotFoundError("This route does not exist. GET /openapi.json lists all routes.")
        if request.method == "OPTIONS":
            return Response(204, headers={"Allow": methods})
        message = f"Method not allowed. This route supports {methods}."
        response = error_response(MethodNotAllowedError(message))
        response.headers["Allow"] = methods
        return response


def _check(request: Request, operation: Operation) -> Request:
    """Add the checked parameters and the fields of the JSON body to the request."""
    sent, declared = request.query_lists, operation.parameters
    if operation.is_open:
        sent = {name: values for name, values in sent.items() if name in declared}
    request = replace(request, parameters=parse_query(sent, declared))
    if operation.body is None or operation.is_form:
        return request
    body = request.body if request.body or operation.needs_body else b"{}"
    return replace(request, fields=check_body(parse_json_object(body), operation.body))


def _origin_secrets(operation: Operation) -> Sequence[str]:
    try:
        return get_settings().origin_secrets
    except AppError:
        if operation.path != HEALTH:
            raise
        return ()  # its report includes this error


def _record(request: Request, answer: Response, context: LambdaContext, milliseconds: float) -> None:
    duration = round(milliseconds, 1)
    facts = {
        "method": request.method,
        "path": request.path,
        "status": answer.status_code,
        "duration_ms": duration,
    }
    if answer.error_code:
        facts["code"] = answer.error_code
    get_logger().info("request", extra=facts)
    record_request(context.function_name, answer.status_code, duration)
