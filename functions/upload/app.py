"""POST /api/upload, POST /api/uploads and …/{id}/complete; the bucket's events of files that were posted."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.events.messages import parse_notifications, unfinished
from imageapi.events.run_event import run_event
from imageapi.http.app import App
from imageapi.http.forms import parse_upload_form
from imageapi.http.image_response import stored_response
from imageapi.http.json_body import parse_json_object
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.model.scopes import READ
from imageapi.uploads.complete import complete_upload, complete_uploads
from imageapi.uploads.direct import upload_image
from imageapi.uploads.presigned import create_upload

app = App()


@app.operation("uploadImage")
def upload(request: Request) -> Response:
    """201 with the new image; 200 with an existing one (Idempotency-Key, on_duplicate=return)."""
    form = parse_upload_form(request.body, request.header("Content-Type"))
    key = request.header("Idempotency-Key")
    stored = upload_image(*form, idempotency_key=key, on_duplicate=request.parameters["on_duplicate"])
    return stored_response(request, stored)


@app.operation("createUpload")
def announce(request: Request) -> Response:
    """201 with a form for the object store (200 for a known Idempotency-Key)."""
    values = parse_json_object(request.body)
    announced, created = create_upload(values, request.header("Idempotency-Key"))
    return json_response(201 if created else 200, {"data": announced})


@app.operation("completeUpload")
def complete(request: Request, upload_id: str) -> Response:
    """201 with the image that arrived; 200 if it was already ready."""
    announcer = None if READ in request.key.scopes else request.key.id
    return stored_response(request, complete_upload(upload_id, announcer=announcer))


def ingest(event: dict[str, Any]) -> dict[str, Any]:
    """Complete posted uploads without waiting for their clients."""
    messages, _ = parse_notifications(event)
    outcome = complete_uploads(message.image_id for message in messages)
    return {**outcome, **unfinished(messages, outcome["unfinished"])}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "httpMethod" in event:
        return app.handle(event, context)
    return run_event("ingest", ingest, event, context, wakes=True)
