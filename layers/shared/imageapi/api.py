"""HTTP: routes, API keys, errors as JSON, request ids and the log of requests. No other module knows it."""

import binascii
import json
import time
from collections.abc import Collection, Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from imageapi.auth import check_api_key
from imageapi.config import SECRETS_MAX_AGE, get_settings, refresh_settings
from imageapi.errors import AppError, InvalidRequestError, MethodNotAllowedError, NotFoundError
from imageapi.logs import add_context, get_logger
from imageapi.metrics import record_request
from imageapi.parameters import check_known, single
from imageapi.routing import Response, Router
from imageapi.time_limits import function_limit

JSON = "application/json"
REFUSED_MAX_AGE = 60.0
"""Seconds after which keys are read again when one was refused."""
ACCEPTED_HEADERS = "Content-Type, X-API-Key, Idempotency-Key, If-Match, If-None-Match"
EXPOSED_HEADERS = "ETag, Link, Retry-After, x-request-id"


class Api(Router):
    """The routes of one function. All but the public ones need an API key."""

    def __init__(self, public: Collection[str]) -> None:
        super().__init__()
        self._public = frozenset(public)
        self.event: dict[str, Any] = {}
        """The event that is being answered."""

    def handle(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer one API Gateway event. Every response has ``x-request-id``, and each request makes one log
        line.
        """
        start = time.perf_counter()
        add_context(context)
        refresh_settings(SECRETS_MAX_AGE)
        with function_limit(context):
            answer = self._resolve(event)
            # Refused before anything was done: perhaps the keys have been rotated since they were read.
            if answer.status_code in (401, 403) and refresh_settings(REFUSED_MAX_AGE):
                answer = self._resolve(event)
        response = answer.to_event()
        if event["httpMethod"] == "HEAD":
            response.update(body="", isBase64Encoded=False)
        headers = response["multiValueHeaders"]
        headers["x-request-id"] = [context.aws_request_id]
        # Responses contain signed links: never cacheable.
        headers.setdefault("Cache-Control", ["no-store"])
        for name, values in self._cors_headers(event).items():
            headers[name] = [*headers.get(name, []), *values]
        duration = round((time.perf_counter() - start) * 1000, 1)
        facts = {
            "method": event["httpMethod"],
            "path": event["path"],
            "status": answer.status_code,
            "duration_ms": duration,
        }
        if answer.error_code:
            facts["code"] = answer.error_code
        get_logger().info("request", extra=facts)
        record_request(context.function_name, answer.status_code, duration)
        return response

    @property
    def method(self) -> str:
        """The method of the current request; HEAD comes to the same routes as GET."""
        return str(self.event["httpMethod"])

    def header(self, name: str) -> str | None:
        """A header of the current request, by any spelling of its name."""
        wanted = name.lower()
        headers = self.event.get("headers") or {}
        return next((value for header, value in headers.items() if header.lower() == wanted), None)

    @property
    def query_lists(self) -> dict[str, list[str]]:
        """The query string of the current request: every name with all its values."""
        return dict(self.event.get("multiValueQueryStringParameters") or {})

    @property
    def query(self) -> dict[str, str]:
        """The query string of the current request, for routes where no name comes twice.

        Raises:
            InvalidRequestError: ``parameter_repeated``.
        """
        return single(self.query_lists)

    def check_query(self, *known: str) -> dict[str, str]:
        """As :attr:`query`, for routes that have no parameters but these.

        Raises:
            InvalidRequestError: ``parameter_unknown``, ``parameter_repeated``.
        """
        check_known(self.query_lists, known)
        return self.query

    @property
    def body(self) -> bytes:
        """The body of the current request, as the client sent it.

        Raises:
            InvalidRequestError: ``body_invalid`` when the gateway's base64 is not base64.
        """
        text = self.event.get("body") or ""
        if not self.event.get("isBase64Encoded"):
            return text.encode("utf-8", "surrogatepass")
        import pybase64  # only uploads have such bodies; eight times as fast as the standard library's

        try:
            return pybase64.b64decode(text, validate=True)
        except (ValueError, binascii.Error) as error:
            raise InvalidRequestError("The body is not valid base64.", code="body_invalid") from error

    @property
    def base_url(self) -> str:
        """The address that the current request came to, stage included; links begin with it."""
        configured = get_settings().public_base_url
        if configured:
            return configured
        scheme = self.header("X-Forwarded-Proto") or "https"
        host = self.header("Host") or self.event["requestContext"].get("domainName") or ""
        return f"{scheme}://{host}{self.stage_path}"

    @property
    def stage_path(self) -> str:
        """What the stage puts in front of the path: ``/v1`` at the address that AWS gives an API, nothing
        behind a custom domain or under sam local.
        """
        path, stage = self.event["requestContext"]["path"], f"/{self.event['requestContext']['stage']}"
        # Where there is no stage both paths are the same, and a route may begin as the stage does.
        return stage if f"{path}/".startswith(f"{stage}/") and path != self.event["path"] else ""

    @property
    def is_direct(self) -> bool:
        """Whether the client called API Gateway itself: a CDN or proxy in front may have other paths."""
        domain = self.event["requestContext"].get("domainName")
        return self.header("Host") == domain and not self.header("X-Amz-Cf-Id")

    def _resolve(self, event: dict[str, Any]) -> Response:
        """The response of the matching route. Errors are turned into responses only here."""
        self.event = event
        try:
            return self._dispatch(event["httpMethod"], event["path"])
        except AppError as error:
            if error.status >= 500:
                get_logger().error(error.code, exc_info=error)
            return error_response(error)
        except Exception as error:
            get_logger().exception("internal_error", exc_info=error)
            return error_response(AppError("Something went wrong on the server."))

    def _dispatch(self, method: str, path: str) -> Response:
        found = self.find("GET" if method == "HEAD" else method, path)
        if found:
            route, arguments = found
            if route.rule not in self._public:
                check_api_key(self.header("X-API-Key"), get_settings().api_keys)
            return route.handler(**arguments)
        methods = self.allowed_methods(path)
        if not methods:
            raise NotFoundError("There is no such route.")
        allow = {"Allow": ", ".join(methods)}
        if method == "OPTIONS":
            return Response(204, headers=allow)
        response = error_response(MethodNotAllowedError(f"This route takes {allow['Allow']}."))
        response.headers |= allow
        return response

    def _cors_headers(self, event: Mapping[str, Any]) -> dict[str, list[str]]:
        """CORS for the origins of CORS_ALLOW_ORIGINS, and none for others (https://fetch.spec.whatwg.org)."""
        origin = self.header("Origin")
        try:
            allowed = get_settings().cors_allow_origins
        except AppError:
            return {}  # misconfigured, which the answer itself says
        if not allowed:
            return {}
        headers = {"Vary": ["Origin"]}
        if origin in allowed:
            headers["Access-Control-Allow-Origin"] = [str(origin)]
            headers["Access-Control-Expose-Headers"] = [EXPOSED_HEADERS]
            if event["httpMethod"] == "OPTIONS":
                headers["Access-Control-Allow-Methods"] = [", ".join(self.allowed_methods(event["path"]))]
                headers["Access-Control-Allow-Headers"] = [ACCEPTED_HEADERS]
                headers["Access-Control-Max-Age"] = ["3600"]
        return headers


def create_app(public: Collection[str] = ()) -> Api:
    """The API of one function, without routes.

    Args:
        public: the rules of the routes that need no API key; all others do.
    """
    return Api(public)


def to_json(value: Any) -> str:
    """Compact JSON in valid UTF-8, also when an error quotes half a surrogate pair from a request."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()


def json_response(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(status, JSON, to_json(value), headers=dict(headers or {}))


def error_response(error: AppError) -> Response:
    """``{"error": {"code": …, "message": …, "details"?: …}}`` with the error's status."""
    content: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details:
        content["details"] = error.details
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    response = json_response(error.status, {"error": content}, headers)
    response.error_code = error.code
    return response
