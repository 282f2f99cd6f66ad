"""GET, PATCH and DELETE /api/images/{id}: one image; POST /api/images/{id}/links/revoke."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.database import db
from imageapi.http.app import App
from imageapi.http.if_none_match import unless_known
from imageapi.http.json_body import parse_json_object
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.images import delete, get, revoke_links, serialize, update
from imageapi.images.etag import parse_if_match
from imageapi.model.parameters import parse_links
from imageapi.model.variant_names import parse_names

app = App()


@app.get("/api/images/<image_id>")
def get_image(request: Request, image_id: str) -> Response:
    """200 with the image and its ETag; 304 when If-None-Match names it."""
    query = request.check_query("variants", "links")
    names, permanent = parse_names(query.get("variants")), parse_links(query.get("links"))
    answer = present(request, get.get_image(image_id), names, permanent)
    return unless_known(answer, request.header("If-None-Match"))


@app.patch("/api/images/<image_id>")
def update_image(request: Request, image_id: str) -> Response:
    """200 with the changed image; 412 when If-Match names an older version."""
    names = parse_names(request.check_query("variants").get("variants"))
    changes = parse_json_object(request.body, "body")
    row = update.update_image(image_id, changes, parse_if_match(request.header("If-Match")))
    return present(request, row, names)


@app.delete("/api/images/<image_id>")
def delete_image(request: Request, image_id: str) -> Response:
    """204 once the image and everything made from it is gone; 404 from then on."""
    request.check_query()
    delete.delete_image(image_id, parse_if_match(request.header("If-Match")))
    return Response(204)


@app.post("/api/images/<image_id>/links/revoke")
def revoke_image_links(request: Request, image_id: str) -> Response:
    """200 with the image and new permanent links; earlier ones answer 403 ``link_revoked``."""
    request.check_query()
    return present(request, revoke_links.revoke_links(image_id), permanent=True)


def present(request: Request, row: db.Row, names: tuple[str, ...] = (), permanent: bool = False) -> Response:
    """The image as JSON, with its ETag."""
    image, etag = serialize.serialize_detail(row, request.base_url, names, permanent=permanent)
    return json_response(200, {"data": image}, {"ETag": etag, "Cache-Control": "private, no-cache"})


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
