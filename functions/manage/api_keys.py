"""/api/keys: make, list, revoke and confirm API keys; /api/keys/self: the key of the request."""

from imageapi.api_keys import manage
from imageapi.http.json_body import parse_json_object
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.http.router import Router

router = Router()


@router.operation("getCurrentKey")
def own_key(request: Request) -> Response:
    """200 with ``{"data": {"id", "name", "scopes", "expires_at"}}``: the key of this request."""
    return json_response(200, {"data": manage.describe_key(request.key)})


@router.operation("listKeys")
def list_keys(request: Request) -> Response:
    """200 with ``{"keys": [ApiKey]}``, newest first, revoked ones too."""
    return json_response(200, {"keys": manage.list_keys()})


@router.operation("createKey")
def create_key(request: Request) -> Response:
    """201 with the new key, which is shown only here."""
    values = parse_json_object(request.body)
    return json_response(201, {"data": manage.create_key(values, request.key)})


@router.operation("revokeKey")
def revoke_key(request: Request, key_id: str) -> Response:
    """204; requests with the key, or with one that it made, are 401 from then on."""
    manage.revoke_key(key_id, keep_descendants=request.parameters["keep_descendants"])
    return Response(204)


@router.operation("confirmKey")
def confirm_key(request: Request, key_id: str) -> Response:
    """200 with the key, which was suspended after a restore of the database."""
    return json_response(200, {"data": manage.confirm_key(key_id)})
