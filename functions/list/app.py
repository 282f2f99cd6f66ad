"""GET /api/images, /api/categories and /api/tags: what there is."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.api import create_app, json_response
from imageapi.facets import list_facets
from imageapi.images import list_images
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
    return json_response(200, {"categories": list_facets("category", app.query)})


@app.get("/api/tags")
def tags() -> Response:
    """200 with ``{"tags": [{"name", "images"}]}``, the most used first."""
    return json_response(200, {"tags": list_facets("tag", app.query)})


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
