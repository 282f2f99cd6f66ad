"""POST /api/upload, POST /api/uploads and POST /api/uploads/{id}/complete: take an image with its
metadata.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.api import create_app, json_response
from imageapi.forms import parse_upload_form
from imageapi.metadata import parse_json_object
from imageapi.presenting import present_image
from imageapi.routing import Response
from imageapi.uploads.complete import complete_upload
from imageapi.uploads.direct import upload_image
from imageapi.uploads.finish import Stored
from imageapi.uploads.presigned import create_upload

app = create_app()


@app.post("/api/upload")
def upload() -> Response:
    """201 with the new image; 200 with the one that was there (Idempotency-Key, on_duplicate=return)."""
    on_duplicate = app.check_query("on_duplicate").get("on_duplicate")
    form = parse_upload_form(app.body, app.header("Content-Type"))
    return present(
        upload_image(form, idempotency_key=app.header("Idempotency-Key"), on_duplicate=on_duplicate)
    )


@app.post("/api/uploads")
def announce() -> Response:
    """201 with a form for the object store (200 when the Idempotency-Key was there)."""
    app.check_query()
    values = parse_json_object(app.body, "body")
    announced, created = create_upload(values, app.header("Idempotency-Key"))
    return json_response(201 if created else 200, {"data": announced})


@app.post("/api/uploads/<image_id>/complete")
def complete(image_id: str) -> Response:
    """201 with the image that has arrived; 200 when it was ready already."""
    app.check_query()
    return present(complete_upload(image_id))


def present(stored: Stored) -> Response:
    """The image as JSON; the status tells whether this request made it."""
    return json_response(201 if stored.created else 200, {"data": present_image(stored.row, app.base_url)})


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
