"""GET, PATCH and DELETE /api/images/{id}: one image."""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi import db, images
from imageapi.api import create_app, json_response
from imageapi.etags import etag_matches
from imageapi.metadata import parse_json_object
from imageapi.presenting import show_image
from imageapi.routing import Response
from imageapi.variants import parse_names

app = create_app()


@app.get("/api/images/<image_id>")
def get(image_id: str) -> Response:
    """200 with the image and its ETag; 304 when If-None-Match names it."""
    names = further()
    response = present(images.get_image(image_id), names)
    if etag_matches(app.header("If-None-Match"), response.headers["ETag"]):
        return Response(304, headers=response.headers)
    return response


@app.patch("/api/images/<image_id>")
def patch(image_id: str) -> Response:
    """200 with the changed image; 412 when If-Match names an older version."""
    names, values = further(), parse_json_object(app.body, "body")
    return present(images.update_image(image_id, values, app.header("If-Match")), names)


@app.delete("/api/images/<image_id>")
def delete(image_id: str) -> Response:
    """204 when the image and everything made from it is gone; 404 ever after."""
    app.check_query()
    images.delete_image(image_id, app.header("If-Match"))
    return Response(204)


def further() -> list[str]:
    """The variants that the client wants further links for."""
    return parse_names(app.check_query("variants").get("variants"))


def present(row: db.Row, names: Sequence[str]) -> Response:
    """The image as JSON, with its ETag and with links to these variants, too."""
    image, etag = show_image(row, app.base_url, names)
    return json_response(200, {"data": image}, {"ETag": etag, "Cache-Control": "private, no-cache"})


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
