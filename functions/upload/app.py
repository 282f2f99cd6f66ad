"""POST /api/upload: take an image with its metadata."""

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from imageapi.api import create_app, json_response
from imageapi.forms import parse_upload_form
from imageapi.images import present_image
from imageapi.uploads import upload_image

app = create_app()


@app.post("/api/upload")
def upload() -> Response[str]:
    """201 with the new image; 200 with the one that was there (a repeated Idempotency-Key,
    on_duplicate=return).
    """
    form = parse_upload_form(app.body, app.header("Content-Type"))
    stored = upload_image(
        form, idempotency_key=app.header("Idempotency-Key"), on_duplicate=app.query.get("on_duplicate")
    )
    return json_response(201 if stored.created else 200, {"data": present_image(stored.row, app.base_url)})


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
