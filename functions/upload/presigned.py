"""/api/uploads and the routes below it: register, get and complete a large upload."""

from imageapi.http.image_response import stored_response
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.http.router import Router
from imageapi.model.scopes import READ
from imageapi.uploads.complete import complete_upload
from imageapi.uploads.get import find_upload, serialize_upload
from imageapi.uploads.presigned import create_upload

router = Router()


@router.operation("createUpload")
def create(request: Request) -> Response:
    """201 with a form for the object store; 200 for a known Idempotency-Key."""
    key = request.header("Idempotency-Key")
    upload, created = create_upload(request.fields, key, request.base_url)
    headers = {"Location": f"{request.base_url}/api/uploads/{upload['id']}"}
    return json_response(201 if created else 200, {"data": upload}, headers)


@router.operation("getUpload")
def get(request: Request, upload_id: str) -> Response:
    """200 with the upload: waiting, processing, ready or failed."""
    found = find_upload(upload_id, find_announcer(request))
    return json_response(200, {"data": serialize_upload(found, request.base_url)})


@router.operation("completeUpload")
def complete(request: Request, upload_id: str) -> Response:
    """201 with the image; 200 if it was already ready."""
    return stored_response(request, complete_upload(upload_id, announcer=find_announcer(request)))


def find_announcer(request: Request) -> str | None:
    """The API key that must have registered an upload: without images:read, a key sees only its own."""
    return None if READ in request.key.scopes else request.key.id
