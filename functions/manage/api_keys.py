"""/api/keys: make, list, revoke and confirm API keys; /api/keys/self: the key of the request."""

from imageapi.api_keys import manage
from imageapi.http.json_body import parse_json_object
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.http.router import Router
from imageapi.model.parameters import parse_flag

router = Router()


@router.get("/api/keys/self")
def own_key(request: Request) -> Response:
    """200 with ``{"data": {"id", "name", "scopes", "expires_at"}}``: the key of this request."""
    request.check_query()
    return json_response(200, {"data": manage.describe_key(request.key)})


@router.get("/api/keys")
def list_keys(request: Request) -> Response:
    """200 with ``{"keys": [ApiKey]}``, newest first, revoked ones too."""
    request.check_query()
    return json_response(200, {"keys": manage.list_keys()})


@router.post("/api/keys")
def create_key(request: Request) -> Response:
    """201 with the new key, which is shown only here."""
    request.check_query()
    values = parse_json_object(request.body, "body")
    return json_response(201, {"data": manage.create_key(values, request.key)})


@router.delete("/api/keys/<key_id>")
def revoke_key(request: Request, key_id: str) -> Response:
    """204; requests with the key, or with one that it made, are 401 from then on."""
    kept = request.check_query("keep_descendants").get("keep_descendants")
    manage.revoke_key(key_id, keep_descendants=parse_flag("keep_descendants", kept))
    return Response(204)


@router.post("/api/keys/<key_id>/confirm")
def confirm_key(request: Request, key_id: str) -> Response:
    """200 with the key, which was suspended after a restore of the database."""
    request.check_query()
    return json_response(200, {"data": manage.confirm_key(key_id)})
