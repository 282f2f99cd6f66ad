"""GET /api/images, /api/categories and /api/tags: the lists."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.catalog.facets import DEFAULT_LIMIT, MAX_LIMIT, list_facets
from imageapi.http.app import App
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.images.list import list_images
from imageapi.model.parameters import parse_limit

app = App()


@app.get("/api/images")
def images(request: Request) -> Response:
    """200 with ``{"images": [Image], "next_cursor": str | null}``; a Link header when more follow."""
    page, headers = list_images(request.query_lists, f"{request.base_url}/api/images", request.base_url)
    return json_response(200, page, headers)


@app.get("/api/categories")
def categories(request: Request) -> Response:
    """200 with ``{"categories": [{"name", "images"}]}``, most used first."""
    return json_response(200, {"categories": list_facets("category", read_limit(request))})


@app.get("/api/tags")
def tags(request: Request) -> Response:
    """200 with ``{"tags": [{"name", "images"}]}``, most used first."""
    return json_response(200, {"tags": list_facets("tag", read_limit(request))})


def read_limit(request: Request) -> int:
    """The maximum number of categories or tags in a response."""
    return parse_limit(request.check_query("limit").get("limit"), DEFAULT_LIMIT, MAX_LIMIT)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
