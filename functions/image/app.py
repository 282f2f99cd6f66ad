"""GET, PATCH and DELETE /api/images/{id}. The modules beside it have the routes below it, and batches."""

from typing import Any

import actions
import batch
import history
from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.http.app import App
from imageapi.http.image_response import image_response
from imageapi.http.json_body import parse_json_object
from imageapi.http.request import Request
from imageapi.http.response import Response
from imageapi.images import delete, get, update
from imageapi.images.etag import parse_if_match
from imageapi.model.parameters import parse_flag, wants_permanent_links
from imageapi.model.variant_names import parse_names

app = App()
app.include(actions.router, batch.router, history.router)


@app.get("/api/images/<image_id>")
def get_image(request: Request, image_id: str) -> Response:
    """200 with the image and its ETag; 304 when If-None-Match names it."""
    query = request.check_query("variants", "links")
    names, permanent = parse_names(query.get("variants")), wants_permanent_links(query.get("links"))
    return image_response(request, get.get_image(image_id), names, permanent)


@app.patch("/api/images/<image_id>")
def update_image(request: Request, image_id: str) -> Response:
    """200 with the changed image; 412 when If-Match names an older version."""
    names = parse_names(request.check_query("variants").get("variants"))
    changes, versions = parse_json_object(request.body, "body"), parse_if_match(request.header("If-Match"))
    return image_response(request, update.update_image(image_id, changes, versions), names)


@app.delete("/api/images/<image_id>")
def delete_image(request: Request, image_id: str) -> Response:
    """204 once the image is in the trash, or with ``permanent=true`` deleted permanently; then 404."""
    permanent = parse_flag("permanent", request.check_query("permanent").get("permanent"))
    versions = parse_if_match(request.header("If-Match"))
    delete.delete_image(image_id, versions, permanent=permanent, key=request.key)
    return Response(204)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
