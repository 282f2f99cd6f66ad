"""/api/keys: make, list, revoke and confirm API keys; /api/keys/self: the key of the request. On a schedule:
forget what the feed no longer keeps.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.api_keys import manage
from imageapi.changes.retention import forget_old
from imageapi.events.run_event import run_event
from imageapi.http.app import App
from imageapi.http.json_body import parse_json_object
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.model.parameters import parse_flag

app = App()


@app.get("/api/keys/self")
def own_key(request: Request) -> Response:
    """200 with ``{"data": {"id", "name", "scopes", "expires_at"}}``: the key of this request."""
    request.check_query()
    return json_response(200, {"data": manage.describe_key(request.key)})


@app.get("/api/keys")
def list_keys(request: Request) -> Response:
    """200 with ``{"keys": [ApiKey]}``, newest first, revoked ones too."""
    request.check_query()
    return json_response(200, {"keys": manage.list_keys()})


@app.post("/api/keys")
def create_key(request: Request) -> Response:
    """201 with the new key, which is shown only here."""
    request.check_query()
    values = parse_json_object(request.body, "body")
    return json_response(201, {"data": manage.create_key(values, request.key)})


@app.delete("/api/keys/<key_id>")
def revoke_key(request: Request, key_id: str) -> Response:
    """204; requests with the key, or with one that it made, are 401 from then on."""
    kept = request.check_query("keep_descendants").get("keep_descendants")
    manage.revoke_key(key_id, keep_descendants=parse_flag("keep_descendants", kept))
    return Response(204)


@app.post("/api/keys/<key_id>/confirm")
def confirm_key(request: Request, key_id: str) -> Response:
    """200 with the key, which was suspended after a restore of the database."""
    request.check_query()
    return json_response(200, {"data": manage.confirm_key(key_id)})


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "forget" in event:
        return run_event("forget", forget_old, event, context)
    return app.handle(event, context)
