"""GET /api/images, /api/categories and /api/tags: what there is."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.api import create_app, json_response
from imageapi.catalog.facets import DEFAULT_LIMIT, MAX_LIMIT, list_facets
from imageapi.images import list_images
from imageapi.parameters import parse_limit
from imageapi.routing import Response

app = create_app()


@app.get("/api/images")
def images() -> Response:
    """200 with ``{"images": [Image], "next_cursor": str | null}``; a Link header when more follow."""
    page = list_images(app.query_lists, f"{app.base_url}/api/images", app.base_url)
    return json_response(200, page.value, page.headers)


@app.get("/api/categories")
def categories() -> Response:
    """200 with ``{"categories": [{"name", "images"}]}``, the most used first."""
    return json_response(200, {"categories": list_facets("category", read_limit())})


@app.get("/api/tags")
def tags() -> Response:
    """200 with ``{"tags": [{"name", "images"}]}``, the most used first."""
    return json_response(200, {"tags": list_facets("tag", read_limit())})


def read_limit() -> int:
    """Of categories or tags."""
    return parse_limit(app.check_query("limit").get("limit"), DEFAULT_LIMIT, MAX_LIMIT)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
