"""Routes and answers of a REST API's proxy integration (format 1.0), and no more than that.

Powertools' event handler does the same and much else, and its imports alone are a third of what a cold list
costs.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partialmethod
from typing import Any, NamedTuple
from urllib.parse import unquote


@dataclass
class Response:
    """A response. API Gateway takes a body of bytes as base64."""

    status_code: int
    content_type: str | None = None
    body: str | bytes = ""
    headers: dict[str, str] = field(default_factory=dict)
    error_code: str | None = None
    """For the log."""

    def to_event(self) -> dict[str, Any]:
        """As API Gateway takes it."""
        headers = {"Content-Type": self.content_type} if self.content_type else {}
        is_binary = isinstance(self.body, bytes)
        return {
            "statusCode": self.status_code,
            "body": base64.b64encode(self.body).decode() if isinstance(self.body, bytes) else self.body,
            "isBase64Encoded": is_binary,
            "multiValueHeaders": {name: [value] for name, value in {**headers, **self.headers}.items()},
        }


Handler = Callable[..., Response]


class Route(NamedTuple):
    """One method of one path."""

    rule: str
    pattern: re.Pattern[str]
    method: str
    handler: Handler


class Router:
    """The routes of one function, registered by decorators: ``@app.get("/images/<image_id>")``."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def route(self, rule: str, method: str) -> Callable[[Handler], Handler]:
        """Register a function for a path. ``<name>`` in the rule is one part of the path and an argument of
        it.
        """
        pattern = re.compile(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", rule.rstrip("/")) + "/*")

        def register(handler: Handler) -> Handler:
            self.routes.append(Route(rule, pattern, method, handler))
            return handler

        return register

    get = partialmethod(route, method="GET")
    post = partialmethod(route, method="POST")
    patch = partialmethod(route, method="PATCH")
    delete = partialmethod(route, method="DELETE")

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route that fits, and its arguments, percent-decoded."""
        for route in self.routes:
            match = route.pattern.fullmatch(path) if route.method == method else None
            if match:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    def allowed_methods(self, path: str) -> list[str]:
        """The methods that there are on a path, sorted."""
        return sorted({route.method for route in self.routes if route.pattern.fullmatch(path)})
