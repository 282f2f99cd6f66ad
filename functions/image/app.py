"""GET, PATCH and DELETE /api/images/{id}. The other modules contain the routes below it, and batches."""

from typing import Any

import actions
import batch
import changes
from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.http.app import App
from imageapi.http.etag import parse_if_match
from imageapi.http.image_response import image_response
from imageapi.http.request import Request
from imageapi.http.response import Response
from imageapi.images import delete, get, update
from imageapi.images.serialize import LinkOptions

app = App()
app.include(actions.router, batch.router, changes.router)


@app.operation("getImage")
def get_image(request: Request, image_id: str) -> Response:
    """200 with the image and its ETag; 304 if If-None-Match names it."""
    return image_response(request, get.get_image(image_id), LinkOptions.of(request.parameters))


@app.operation("updateImage")
def update_image(request: Request, image_id: str) -> Response:
    """200 with the changed image; 412 if If-Match names another version."""
    row = update.update_image(image_id, request.fields, parse_if_match(request.header("If-Match")))
    return image_response(request, row, LinkOptions.of(request.parameters))


@app.operation("deleteImage")
def delete_image(request: Request, image_id: str) -> Response:
    """204 after moving the image to the trash or, with ``permanent=true``, deleting it; 404 if repeated."""
    versions = parse_if_match(request.header("If-Match"))
    delete.delete_image(image_id, versions, permanent=request.parameters["permanent"], key=request.key)
    return Response(204)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
