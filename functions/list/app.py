"""GET /api/images, /api/trash, /api/categories and /api/tags: the lists."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.catalog.facets import list_facets
from imageapi.http.app import App
from imageapi.http.page_response import page_response
from imageapi.http.request import Request
from imageapi.http.response import Response
from imageapi.images.list import list_images
from imageapi.images.list_trash import list_trash

app = App()


@app.operation("listImages")
def images(request: Request) -> Response:
    """200 with ``{"images": [Image], "next_cursor", "total"?}``."""
    return page_response(request, list_images(request.parameters, request.base_url))


@app.operation("listTrash")
def trash(request: Request) -> Response:
    """200 with ``{"images": [TrashedImage], "next_cursor"}``, last trashed first."""
    return page_response(request, list_trash(**request.parameters))


@app.operation("listCategories")
def categories(request: Request) -> Response:
    """200 with ``{"categories": [{"name", "image_count"}], "next_cursor"}``, most frequent first."""
    return page_response(request, list_facets("category", "categories", **request.parameters))


@app.operation("listTags")
def tags(request: Request) -> Response:
    """200 with ``{"tags": [{"name", "image_count"}], "next_cursor"}``, most frequent first."""
    return page_response(request, list_facets("tag", "tags", **request.parameters))


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
