"""GET /api/images: a page of images, newest first."""

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.api import create_app, json_response
from imageapi.images import list_images

app = create_app()


@app.get("/api/images")
def list_() -> Response[str]:
    """200 with ``{"images": [Image], "next_cursor": str | null}``."""
    return json_response(200, list_images(app.query, app.base_url))


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.handle(event, context)
