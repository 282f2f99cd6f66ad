"""/api/webhooks: register, list, test, resume and remove webhooks; rotate their secrets."""

from imageapi.http.json_body import parse_json_object
from imageapi.http.request import Request
from imageapi.http.response import Response, json_response
from imageapi.http.router import Router
from imageapi.webhooks import manage

router = Router()


@router.operation("createWebhook")
def create(request: Request) -> Response:
    """201 with the webhook and its secret, which is shown only here."""
    values = parse_json_object(request.body)
    return json_response(201, {"data": manage.create_webhook(values, request.key)})


@router.operation("listWebhooks")
def list_all(request: Request) -> Response:
    return json_response(200, {"webhooks": manage.list_webhooks()})


@router.operation("getWebhook")
def get(request: Request, webhook_id: str) -> Response:
    return json_response(200, {"data": manage.get_webhook(webhook_id)})


@router.operation("deleteWebhook")
def delete(request: Request, webhook_id: str) -> Response:
    manage.delete_webhook(webhook_id)
    return Response(204)


@router.operation("sendTestDelivery")
def test(request: Request, webhook_id: str) -> Response:
    return json_response(202, {"data": manage.test_webhook(webhook_id)})


@router.operation("resumeWebhook")
def resume(request: Request, webhook_id: str) -> Response:
    return json_response(200, {"data": manage.resume_webhook(webhook_id, request.key)})


@router.operation("rotateWebhookSecret")
def rotate(request: Request, webhook_id: str) -> Response:
    """200 with the webhook and its new secret, which is shown only here."""
    values = parse_json_object(request.body or b"{}")
    return json_response(200, {"data": manage.rotate_secret(webhook_id, values)})
