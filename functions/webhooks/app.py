"""/api/webhooks; also leases due deliveries for NotifyFunction, and notes their results."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.events.run_event import run_event
from imageapi.http.app import App
from imageapi.http.json_body import parse_json_object
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.webhooks import due, manage

app = App(takes_query=False)


@app.post("/api/webhooks")
def create(request: Request) -> Response:
    """201 with the webhook and its secret, which is shown only here."""
    values = parse_json_object(request.body, "body")
    return json_response(201, {"data": manage.create_webhook(values, request.key)})


@app.get("/api/webhooks")
def list_all(request: Request) -> Response:
    return json_response(200, {"webhooks": manage.list_webhooks()})


@app.get("/api/webhooks/<webhook_id>")
def get(request: Request, webhook_id: str) -> Response:
    return json_response(200, {"data": manage.get_webhook(webhook_id)})


@app.delete("/api/webhooks/<webhook_id>")
def delete(request: Request, webhook_id: str) -> Response:
    manage.delete_webhook(webhook_id)
    return Response(204)


@app.post("/api/webhooks/<webhook_id>/test")
def test(request: Request, webhook_id: str) -> Response:
    return json_response(202, {"data": manage.test_webhook(webhook_id)})


@app.post("/api/webhooks/<webhook_id>/resume")
def resume(request: Request, webhook_id: str) -> Response:
    return json_response(200, {"data": manage.resume_webhook(webhook_id, request.key)})


@app.post("/api/webhooks/<webhook_id>/secret/rotate")
def rotate(request: Request, webhook_id: str) -> Response:
    """200 with the webhook and its new secret, which is shown only here."""
    values = parse_json_object(request.body or b"{}", "body")
    return json_response(200, {"data": manage.rotate_secret(webhook_id, values)})


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if "httpMethod" in event:
        return app.handle(event, context)
    return run_event("webhooks", due.run, event, context, hidden=("deliveries",))
