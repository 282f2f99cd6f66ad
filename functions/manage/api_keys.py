"""/api/keys: create, list, update, revoke and confirm API keys. /api/keys/self: the key of the request."""

from imageapi.api_keys import manage
from imageapi.http.etag import parse_if_match
from imageapi.http.page_response import page_response
from imageapi.http.request import Request
from imageapi.http.resource_response import resource_response
from imageapi.http.response import Response, json_response
from imageapi.http.router import Router

router = Router()


@router.operation("getCurrentKey")
def current_key(request: Request) -> Response:
    """200 with ``{"data": {"id", "name", "scopes", "expires_at"}}``: the key of this request."""
    return json_response(200, {"data": manage.describe_key(request.key)})


@router.operation("listKeys")
def list_keys(request: Request) -> Response:
    """200 with ``{"keys": [ApiKey], "next_cursor"}``, newest first, including revoked ones."""
    return page_response(request, manage.list_keys(**request.parameters))


@router.operation("createKey")
def create_key(request: Request) -> Response:
    """201 with the new key, which no other response shows; 200 without it for a known Idempotency-Key."""
    made, key = manage.create_key(request.fields, request.key, request.header("Idempotency-Key"))
    return resource_response(request, made, 201 if key else 200, collection="/api/keys", key=key)


@router.operation("getKey")
def get_key(request: Request, key_id: str) -> Response:
    return resource_response(request, manage.get_key(key_id))


@router.operation("updateKey")
def update_key(request: Request, key_id: str) -> Response:
    """200 with the changed key; 412 if If-Match names another version."""
    versions = parse_if_match(request.header("If-Match"))
    return resource_response(request, manage.update_key(key_id, request.fields, versions, request.key))


@router.operation("revokeKey")
def revoke_key(request: Request, key_id: str) -> Response:
    """204. Requests with the key, or with a key that it created, then return 401."""
    manage.revoke_key(key_id, parse_if_match(request.header("If-Match")), **request.parameters)
    return Response(204)


@router.operation("confirmKey")
def confirm_key(request: Request, key_id: str) -> Response:
    """200 with the key, whose suspension after a restore of the database ends."""
    return resource_response(request, manage.confirm_key(key_id, request.key))
