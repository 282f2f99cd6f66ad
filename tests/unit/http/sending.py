"""Requests to an app with a few routes."""

import json
from typing import Any

from imageapi.errors import DatabaseUnavailableError
from imageapi.http.app import App
from imageapi.http.operations import Operation
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response

from tests.support.answers import Answer, parse
from tests.support.events import LambdaContext, make_event

KEY = "key-that-must-not-be-logged"
ENVIRONMENT = {
    "DB_HOST": "localhost",
    "POSTGRES_PASSWORD": "password-that-must-not-be-logged",
    "MINIO_ACCESS_KEY": "access",
    "MINIO_SECRET_KEY": "storage-secret-that-must-not-be-logged",
    "MINIO_BUCKET_NAME": "images",
    "API_KEY": f"{KEY},second-key",
    "SECRET_KEY": "link-secret-that-must-not-be-logged",
}
WITH_KEY = {"X-API-Key": KEY}
LIMIT = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
PARAMETERS: dict[str, dict[str, Any]] = {"q": {"schema": {"type": "string"}}, "limit": {"schema": LIMIT}}


def make_app(error: Exception) -> App:
    app = App()

    @app.page("/open.json")
    def get_json(request: Request) -> Response:
        return json_response(200, {})

    @app.page("/open")
    def read_open(request: Request) -> Response:
        shown = {"hello": "世界", "base_url": request.base_url}
        return json_response(200, shown, {"Cache-Control": "private", "ETag": '"1"'})

    @app.page("/open/{thing}")
    def read_open_thing(request: Request, thing: str) -> Response:
        return json_response(200, {"thing": thing})

    @app.route(Operation("GET", "/things/{thing_id}", scopes=(), parameters=PARAMETERS))
    def read_thing(request: Request, thing_id: str) -> Response:
        return json_response(200, {"id": thing_id, "query": dict(request.parameters)})

    @app.route(Operation("DELETE", "/things/{thing_id}", scopes=()))
    def delete_thing(request: Request, thing_id: str) -> Response:
        return Response(204)

    @app.route(Operation("POST", "/things", scopes=("images:write",)))
    def create_thing(request: Request) -> Response:
        return json_response(201, {"body": request.body.hex(), "type": request.header("content-type")})

    @app.page("/fails")
    def fail(request: Request) -> Response:
        raise error

    @app.page("/unavailable")
    def be_unavailable(request: Request) -> Response:
        raise DatabaseUnavailableError from OSError("connection refused")

    return app


def handle(event: dict[str, Any], request_id: str = "request-7", error: Exception | None = None) -> Answer:
    """The response to an event. GET /fails raises ``error``."""
    before = json.dumps(event)
    context: Any = LambdaContext(aws_request_id=request_id)
    response = make_app(error or RuntimeError()).handle(event, context)
    answer = parse(response, head=event["httpMethod"] == "HEAD")
    assert json.dumps(event) == before
    assert answer.headers["x-request-id"] == [request_id]
    return answer


def send(method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> Answer:
    return handle(make_event(method, path, headers, **options))
