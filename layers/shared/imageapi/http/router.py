"""The routes of one function: find the handler of a method and a path.

Powertools' event handler can do this, but its imports take a third of ListFunction's cold start.
"""

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from imageapi.http.operations import Operation, find_operation
from imageapi.http.response import Response

Handler = Callable[..., Response]
Register = Callable[[Handler], Handler]


class Route(NamedTuple):
    operation: Operation
    pattern: re.Pattern[str]
    handler: Handler


class Router:
    """Routes. A decorator registers each handler: ``@router.operation("getImage")``."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def route(self, operation: Operation) -> Register:
        """Register a handler. It receives the request, and an argument for each ``{name}`` in the path. A
        ``{name}`` matches one segment.
        """
        parts = re.split(r"\{(\w+)\}", operation.path.rstrip("/"))
        names = [f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts)]
        pattern = re.compile("".join(names) + "/*")

        def register(handler: Handler) -> Handler:
            self.routes.append(Route(operation, pattern, handler))
            return handler

        return register

    def operation(self, operation_id: str) -> Register:
        """Register the handler of an operation of openapi.json."""
        return self.route(find_operation(operation_id))

    def page(self, path: str, *, in_maintenance: bool = False) -> Register:
        """Register the handler of a path outside the API, such as a page, which requires no key."""
        return self.route(Operation("GET", path, is_open=True, in_maintenance=in_maintenance))

    def include(self, *routers: "Router") -> None:
        """Add the routes of other modules."""
        for router in routers:
            self.routes += router.routes

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route for a method and a path, and its percent-decoded arguments. HEAD finds GET's route. The
        path with fewer parameters takes precedence: ``self`` in ``/api/keys/self`` is not a key's id.
        """
        wanted = "GET" if method == "HEAD" else method
        found = [
            (route, match.groupdict())
            for route in self.routes
            if route.operation.method == wanted and (match := route.pattern.fullmatch(path))
        ]
        if not found:
            return None
        route, arguments = min(found, key=lambda each: len(each[1]))
        return route, {name: unquote(value) for name, value in arguments.items()}

    def allowed_methods(self, path: str) -> list[str]:
        """The methods of a path, sorted; empty if no route matches."""
        methods = {route.operation.method for route in self.routes if route.pattern.fullmatch(path)}
        if not methods:
            return []
        return sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))
