"""The one place that knows HTTP: routes, API keys, errors as JSON, request ids and the log of requests."""

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as RouteNotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from imageapi.auth import check_api_key
from imageapi.config import get_settings
from imageapi.errors import AppError, InvalidRequestError, MethodNotAllowedError, NotFoundError
from imageapi.logs import get_logger
from imageapi.metrics import record_request

JSON = "application/json"
ACCEPTED_HEADERS = "Content-Type, X-API-Key, Idempotency-Key, If-Match, If-None-Match"
EXPOSED_HEADERS = "ETag, Link, Retry-After, x-request-id"


class Api(APIGatewayRestResolver):
    """A Powertools resolver whose routes need an API key unless they are named as public."""

    def __init__(self, public: Collection[str]) -> None:
        super().__init__(serializer=to_json)
        self._public = frozenset(public)
        self._rules: list[tuple[re.Pattern[str], str]] = []

    def route(
        self, rule: str, method: str | list[str] | tuple[str], *args: Any, **kwargs: Any
    ) -> Callable[..., Any]:
        """Register a route; as ``get``, ``post`` and so on do."""
        register = super().route(rule, method, *args, **kwargs)
        pattern = re.compile(re.sub(r"<\w+>", "[^/]+", rule.rstrip("/")) + "/*")
        for name in [method] if isinstance(method, str) else method:
            self._rules.append((pattern, name.upper()))

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(function)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                check_api_key(self.header("X-API-Key"), get_settings().api_keys)
                return function(*args, **kwargs)

            register(function if rule in self._public else guarded)
            return function

        return decorate

    def handle(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer one API Gateway event. Every answer carries ``x-request-id``, and each makes one line of
        log.
        """
        logger = get_logger()
        start = time.perf_counter()
        logger.append_keys(request_id=context.aws_request_id)
        is_head = event["httpMethod"] == "HEAD"
        response = self.resolve({**event, "httpMethod": "GET"} if is_head else event, context)
        if is_head:
            response.update(body="", isBase64Encoded=False)
        headers = response["multiValueHeaders"]
        headers["x-request-id"] = [context.aws_request_id]
        headers.update(self._cors_headers(event))
        duration = round((time.perf_counter() - start) * 1000, 1)
        logger.info(
            "request",
            extra={
                "method": event["httpMethod"],
                "path": event["path"],
                "status": response["statusCode"],
                "duration_ms": duration,
            },
        )
        record_request(context.function_name, response["statusCode"], duration)
        return response

    def header(self, name: str) -> str | None:
        """A header of the current request, by any spelling of its name."""
        value = self.current_event.headers.get(name)
        return value if value is None else str(value)

    @property
    def query_lists(self) -> dict[str, list[str]]:
        """The query string of the current request: every name with all its values."""
        return dict(self.current_event.multi_value_query_string_parameters or {})

    @property
    def query(self) -> dict[str, str]:
        """The query string of the current request, for routes where no name comes twice.

        Raises:
            InvalidRequestError: ``parameter_repeated``.
        """
        repeated = [name for name, values in self.query_lists.items() if len(values) > 1]
        if repeated:
            raise InvalidRequestError(
                f"The query parameter {repeated[0][:64]!r} was sent more than once.",
                code="parameter_repeated",
            )
        return {name: values[0] for name, values in self.query_lists.items()}

    @property
    def body(self) -> bytes:
        """The body of the current request, as the client sent it.

        Raises:
            InvalidRequestError: ``body_invalid`` when the gateway's base64 is not base64.
        """
        text = self.current_event.body or ""
        if not self.current_event.is_base64_encoded:
            return text.encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error) as error:
            raise InvalidRequestError("The body is not valid base64.", code="body_invalid") from error

    @property
    def base_url(self) -> str:
        """The address that the current request came to, stage included: what links begin with."""
        configured = get_settings().public_base_url
        if configured:
            return configured
        context = self.current_event.request_context
        scheme = self.header("X-Forwarded-Proto") or "https"
        host = self.header("Host") or context.domain_name or ""
        # The stage is part of the path on AWS, but neither behind a custom domain nor under sam local.
        stage = f"/{context.stage}"
        return f"{scheme}://{host}{stage if context.path.startswith(stage + '/') else ''}"

    def allowed_methods(self, path: str) -> list[str]:
        """The methods that this API has on a path."""
        return sorted({method for pattern, method in self._rules if pattern.fullmatch(path)})

    def _cors_headers(self, event: Mapping[str, Any]) -> dict[str, list[str]]:
        """CORS for the origins of CORS_ALLOW_ORIGINS, and none for others (https://fetch.spec.whatwg.org)."""
        origin = next((v for k, v in (event.get("headers") or {}).items() if k.lower() == "origin"), None)
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
    """Make the resolver of one function.

    Args:
        public: the rules of the routes that need no API key; all others do.
    """
    app = Api(public)

    def answer_app_error(error: AppError) -> Response[str]:
        if error.status >= 500:
            get_logger().error(error.code, exc_info=error)
        else:
            get_logger().info("refused", extra={"code": error.code, "status": error.status})
        return error_response(error)

    def answer_unexpected_error(error: Exception) -> Response[str]:
        get_logger().exception("internal_error", exc_info=error)
        return error_response(AppError("Something went wrong on the server."))

    def answer_not_found(_: RouteNotFoundError) -> Response[str]:
        methods = app.allowed_methods(app.current_event.path)
        if not methods or app.current_event.http_method in methods:
            return error_response(NotFoundError("There is no such route."))
        if app.current_event.http_method == "OPTIONS":
            return Response(204, headers={"Allow": ", ".join(methods)})
        response = error_response(MethodNotAllowedError(f"This route takes {', '.join(methods)}."))
        response.headers["Allow"] = ", ".join(methods)
        return response

    app.exception_handler(AppError)(answer_app_error)
    app.exception_handler(Exception)(answer_unexpected_error)
    app.not_found(answer_not_found)
    return app


def to_json(value: Any) -> str:
    """Compact JSON that UTF-8 can hold, whatever a client has sent and an error quotes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()


def json_response(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response[str]:
    """A JSON answer."""
    return Response(status, JSON, to_json(value), headers=dict(headers or {}))


def error_response(error: AppError) -> Response[str]:
    """``{"error": {"code": …, "message": …, "details"?: …}}`` with the error's status."""
    content: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details:
        content["details"] = error.details
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    return json_response(error.status, {"error": content}, headers)
