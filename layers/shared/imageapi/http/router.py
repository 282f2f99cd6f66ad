"""The routes of one function: which handler answers a method and a path.

Powertools' event handler does much more, but its imports alone take a third of ListFunction's cold start.
"""

import re
from collections.abc import Callable
from functools import partialmethod
from typing import NamedTuple
from urllib.parse import unquote

from imageapi.http.response import Response

Handler = Callable[..., Response]


class Route(NamedTuple):
    rule: str
    pattern: re.Pattern[str]
    method: str
    handler: Handler
    takes_query: bool


class Router:
    """Routes, registered by decorators: ``@app.get("/images/<image_id>")``.

    Args:
        takes_query: False if no route takes query parameters.
    """

    def __init__(self, *, takes_query: bool = True) -> None:
        self.routes: list[Route] = []
        self._takes_query = takes_query

    def route(self, rule: str, method: str) -> Callable[[Handler], Handler]:
        """Register a handler. It is called with the request and an argument for each ``<name>`` in the rule;
        a name matches one path segment.
        """
        parts = re.split(r"<(\w+)>", rule.rstrip("/"))
        names = [f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts)]
        pattern = re.compile("".join(names) + "/*")

        def register(handler: Handler) -> Handler:
            self.routes.append(Route(rule, pattern, method, handler, self._takes_query))
            return handler

        return register

    get = partialmethod(route, method="GET")
    post = partialmethod(route, method="POST")
    patch = partialmethod(route, method="PATCH")
    delete = partialmethod(route, method="DELETE")

    def include(self, *routers: "Router") -> None:
        """Add the routes of other modules."""
        for router in routers:
            self.routes += router.routes

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route for a method and a path, and its arguments, percent-decoded. HEAD finds GET's route."""
        wanted = "GET" if method == "HEAD" else method
        for route in self.routes:
            match = route.pattern.fullmatch(path) if route.method == wanted else None
            if match:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    def allowed_methods(self, path: str) -> list[str]:
        """The methods of a path, sorted; empty if no route matches."""
        methods = {route.method for route in self.routes if route.pattern.fullmatch(path)}
        if not methods:
            return []
        return sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))
