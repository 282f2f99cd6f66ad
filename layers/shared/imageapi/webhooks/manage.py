"""Create, list, update, test, resume and delete webhooks, and rotate their secrets."""

from collections.abc import Mapping, Sequence
from typing import Any

from imageapi.api_keys.check import Key
from imageapi.catalog import changes, webhooks
from imageapi.catalog.idempotency_keys import create_once
from imageapi.catalog.webhooks import WEBHOOKS
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import ConflictError, NotConfiguredError, UnprocessableError
from imageapi.model.change_types import ALL_TYPES
from imageapi.model.idempotency import name_request
from imageapi.model.ids import new_id
from imageapi.model.scopes import READ
from imageapi.model.times import show_time
from imageapi.webhook_sender.sign import make_secret
from imageapi.webhooks.due import MAX_WEBHOOKS
from imageapi.webhooks.fields import clean_webhook_fields


def create_webhook(
    values: Mapping[str, Any], key: Key, idempotency_key: str | None = None
) -> tuple[dict[str, Any], str | None]:
    """Create a webhook, which receives all further changes while its key is valid.

    Args:
        values: the request: NewWebhook in openapi.json.

    Returns:
        As :func:`serialize_webhook`, and the secret, which cannot be read again; None if an earlier request
        with this Idempotency-Key created it.

    Raises:
        NotConfiguredError: 501.
        InvalidFieldError: a field of the request is invalid.
        IdempotencyKeyReusedError: the Idempotency-Key was used for another request.
        ForbiddenError: ``scope_missing``: the key may not read images.
        UnprocessableError: ``too_many_webhooks``.
    """
    if not get_settings().webhooks:
        message = "Webhooks are disabled. Set the Webhooks parameter to enable them."
        raise NotConfiguredError(message, code="webhooks_not_configured")
    secret = make_secret()

    def prepare() -> dict[str, Any]:
        checked = clean_webhook_fields(values)
        _check_scope(key, checked["types"])
        changes.number_all()
        return {"id": new_id()[0], **checked, "created_by": key.id, "secret": secret}

    def insert(cursor: db.Cursor, columns: Mapping[str, Any]) -> db.Row:
        row = webhooks.insert(cursor, columns, MAX_WEBHOOKS)
        if row is None:
            raise UnprocessableError(
                f"The limit of {MAX_WEBHOOKS} webhooks is reached. Delete one first.",
                code="too_many_webhooks",
                details={"max": MAX_WEBHOOKS},
            )
        return row

    request = name_request(idempotency_key, "createWebhook", values)
    row, is_new = create_once(request, prepare, insert, WEBHOOKS.find)
    return serialize_webhook(row), secret if is_new else None


def list_webhooks(limit: int, cursor: str | None) -> dict[str, Any]:
    """One page of all webhooks, newest first; as :func:`ResourceTable.list_page`."""
    return WEBHOOKS.list_page(limit, cursor, serialize_webhook)


def get_webhook(webhook_id: str) -> dict[str, Any]:
    """One webhook, as :func:`serialize_webhook`.

    Raises:
        NotFoundError: ``webhook_not_found``.
    """
    return serialize_webhook(WEBHOOKS.get(webhook_id))


def update_webhook(
    webhook_id: str, values: Mapping[str, Any], versions: Sequence[int] | None, key: Key
) -> dict[str, Any]:
    """Change a webhook's URL or types. The webhook then belongs to this key, which is responsible for the
    target. Returns and raises as :func:`get_webhook`.

    Args:
        values: the request: WebhookUpdate in openapi.json.
        versions: change the webhook only at one of these versions; None for any.

    Raises:
        InvalidFieldError: a field of the request is invalid.
        ForbiddenError: ``scope_missing``, as :func:`create_webhook`.
        VersionMismatchError: the webhook is at another version.
    """
    checked = clean_webhook_fields(values)

    def work(cursor: db.Cursor, row: db.Row) -> db.Row:
        if not checked:
            return row
        _check_scope(key, checked.get("types") or row["types"])
        return webhooks.update(cursor, row["id"], {**checked, "created_by": key.id})

    return serialize_webhook(WEBHOOKS.change(webhook_id, versions, work))


def delete_webhook(webhook_id: str, versions: Sequence[int] | None) -> None:
    """Delete a webhook. A delivery in progress may still arrive. Raises as :func:`get_webhook`.

    Raises:
        VersionMismatchError: the webhook is not at one of the versions.
    """
    WEBHOOKS.change(webhook_id, versions, lambda cursor, row: webhooks.delete(cursor, row["id"]))


def test_webhook(webhook_id: str) -> dict[str, Any]:
    """Request one delivery of type webhook.test. Returns and raises as :func:`get_webhook`."""
    row = WEBHOOKS.change(webhook_id, None, lambda cursor, row: webhooks.request_test(cursor, row["id"]))
    return serialize_webhook(row)


def resume_webhook(webhook_id: str, key: Key) -> dict[str, Any]:
    """Resume a paused webhook with the next change. The feed contains the missed ones. The webhook then
    belongs to this key. Returns and raises as :func:`get_webhook`.

    Raises:
        ForbiddenError: ``scope_missing``, as :func:`create_webhook`.
        ConflictError: ``webhook_not_paused``.
    """

    def work(cursor: db.Cursor, row: db.Row) -> db.Row:
        _check_scope(key, row["types"])
        if row["has_key"] and not row["paused_at"]:
            raise ConflictError("Only a paused webhook can be resumed.", code="webhook_not_paused")
        return webhooks.resume(cursor, row["id"], key.id)

    changes.number_all()
    return serialize_webhook(WEBHOOKS.change(webhook_id, None, work))


def rotate_secret(webhook_id: str, overlap_hours: int) -> tuple[dict[str, Any], str]:
    """Replace the secret of a webhook. For ``overlap_hours``, the former secret signs as well. Returns as
    :func:`create_webhook`, raises as :func:`get_webhook`.
    """
    secret = make_secret()

    def work(cursor: db.Cursor, row: db.Row) -> db.Row:
        return webhooks.rotate_secret(cursor, row["id"], secret, overlap_hours)

    row = WEBHOOKS.change(webhook_id, None, work)
    return serialize_webhook(row), secret


def serialize_webhook(row: db.Row) -> dict[str, Any]:
    """Webhook in openapi.json, from a row. The URL lacks its query, which may contain a token."""
    paused = row["paused_at"] or not row["has_key"]
    state = "paused" if paused else "failing" if row["failing_since"] else "active"
    base, query, _ = row["url"].partition("?")
    times = ("created_at", "updated_at", "failing_since", "rotated_at")
    return {
        **{name: row[name] for name in ("id", "version", "types", "created_by", "results")},
        **{name: show_time(row[name]) for name in times},
        "url": f"{base}?…" if query else base,
        "state": state,
        "pause_reason": row["pause_reason"] if row["has_key"] else "key_invalid",
        "next_attempt_at": show_time(row["next_attempt_at"]) if state == "failing" else None,
    }


def _check_scope(key: Key, types: Sequence[str]) -> None:
    """Changes of images contain metadata, so they require images:read. A key's scopes never change."""
    if any(name == ALL_TYPES or name.startswith("image.") for name in types):
        key.check_scope(READ)
