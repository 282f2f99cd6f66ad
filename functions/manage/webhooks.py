"""/api/webhooks: create, list, update, test, resume and delete webhooks, and rotate their secrets."""

from imageapi.http.etag import parse_if_match
from imageapi.http.page_response import page_response
from imageapi.http.request import Request
from imageapi.http.resource_response import resource_response
from imageapi.http.response import Response
from imageapi.http.router import Router
from imageapi.webhooks import manage

router = Router()
COLLECTION = "/api/webhooks"


@router.operation("createWebhook")
def create(request: Request) -> Response:
    """201 with the webhook and its secret, only here; 200 without it for a known Idempotency-Key."""
    key = request.header("Idempotency-Key")
    made, secret = manage.create_webhook(request.fields, request.key, key)
    return resource_response(request, made, 201 if secret else 200, collection=COLLECTION, secret=secret)


@router.operation("listWebhooks")
def list_all(request: Request) -> Response:
    """200 with ``{"webhooks": [Webhook], "next_cursor"}``, newest first."""
    return page_response(request, manage.list_webhooks(**request.parameters))


@router.operation("getWebhook")
def get(request: Request, webhook_id: str) -> Response:
    return resource_response(request, manage.get_webhook(webhook_id))


@router.operation("updateWebhook")
def update(request: Request, webhook_id: str) -> Response:
    """200 with the changed webhook; 412 if If-Match names another version."""
    versions = parse_if_match(request.header("If-Match"))
    changed = manage.update_webhook(webhook_id, request.fields, versions, request.key)
    return resource_response(request, changed)


@router.operation("deleteWebhook")
def delete(request: Request, webhook_id: str) -> Response:
    manage.delete_webhook(webhook_id, parse_if_match(request.header("If-Match")))
    return Response(204)


@router.operation("sendTestDelivery")
def test(request: Request, webhook_id: str) -> Response:
    """202 with the webhook. Its ``results`` later contain the test's."""
    return resource_response(request, manage.test_webhook(webhook_id), 202, collection=COLLECTION)


@router.operation("resumeWebhook")
def resume(request: Request, webhook_id: str) -> Response:
    return resource_response(request, manage.resume_webhook(webhook_id, request.key))


@router.operation("rotateWebhookSecret")
def rotate(request: Request, webhook_id: str) -> Response:
    """200 with the webhook and its new secret, which no other response shows."""
    webhook, secret = manage.rotate_secret(webhook_id, **request.fields)
    return resource_response(request, webhook, secret=secret)
