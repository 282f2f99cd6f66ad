"""POST /api/upload, and the bucket's events of posted files. ``presigned`` has the other routes."""

from typing import Any

import presigned
from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.decoder import client as decoder
from imageapi.events.messages import parse_notifications, unfinished
from imageapi.events.run_event import run_event
from imageapi.http.app import App
from imageapi.http.forms import parse_upload_form
from imageapi.http.image_response import stored_response
from imageapi.http.request import Request
from imageapi.http.response import Response
from imageapi.uploads.complete import complete_uploads
from imageapi.uploads.direct import upload_image

app = App()
app.include(presigned.router)
decoder.start("inspect")


@app.operation("uploadImage")
def upload(request: Request) -> Response:
    """201 with the new image; 200 with an existing image (Idempotency-Key, on_duplicate=return)."""
    form = parse_upload_form(request.body, request.header("Content-Type"))
    key = request.header("Idempotency-Key")
    stored = upload_image(*form, idempotency_key=key, on_duplicate=request.parameters["on_duplicate"])
    return stored_response(request, stored)


def ingest(event: dict[str, Any]) -> dict[str, Any]:
    """Complete posted uploads without waiting for their clients."""
    messages, _ = parse_notifications(event)
    outcome = complete_uploads(message.image_id for message in messages)
    return {**outcome, **unfinished(messages, outcome["unfinished"])}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "httpMethod" in event:
        return app.handle(event, context)
    return run_event("ingest", ingest, event, context, wakes=True)
