"""Register, show, test, resume and delete webhooks, and rotate their secrets."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from imageapi.api_keys.check import Key
from imageapi.catalog import webhooks
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import ConflictError, NotConfiguredError, NotFoundError, UnprocessableError
from imageapi.model.change_types import ALL_TYPES, CHANGE_TYPES
from imageapi.model.ids import is_id, new_id
from imageapi.model.parameters import InvalidFieldError, check_fields
from imageapi.model.scopes import READ
from imageapi.webhook_sender.addresses import LOOKUP_SECONDS, AddressError, find_addresses, parse_url
from imageapi.webhook_sender.sign import make_secret
from imageapi.webhooks.due import MAX_WEBHOOKS

T = TypeVar("T")

FIELDS = ("url", "types")
OVERLAP = "overlap_hours"
DEFAULT_OVERLAP, MAX_OVERLAP = 24, 168
_invalid = partial(InvalidFieldError, code="webhook_invalid")


def create_webhook(values: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """Register a webhook, which follows the changes from now on, as long as its key is valid.

    Args:
        values: ``url`` and ``types``, as sent.

    Returns:
        As :func:`serialize_webhook`, with ``secret``, which nobody can see again.

    Raises:
        NotConfiguredError: 501.
        UnprocessableError: ``webhook_invalid``, ``webhook_address_private``.
        ForbiddenError: ``scope_missing``: the key may not read images.
        ConflictError: ``too_many_webhooks``.
    """
    if not get_settings().webhooks:
        message = "Webhooks are disabled. Set the Webhooks parameter to enable them."
        raise NotConfiguredError(message, code="webhooks_not_configured")
    check_fields(values, FIELDS, code="webhook_invalid")
    types = _parse_types(values.get("types"))
    _check_scope(key, types)
    made = {"id": new_id()[0], "url": _check_url(values.get("url")), "types": types, "created_by": key.id}
    secret = make_secret()
    row = webhooks.insert({**made, "secret": secret}, MAX_WEBHOOKS)
    if row is None:
        raise ConflictError(
            f"The limit of {MAX_WEBHOOKS} webhooks has been reached. Delete one first.",
            code="too_many_webhooks",
            details={"max": MAX_WEBHOOKS},
        )
    return {**serialize_webhook(row), "secret": secret}


def list_webhooks() -> list[dict[str, Any]]:
    """All webhooks, newest first, as :func:`serialize_webhook`."""
    return [serialize_webhook(row) for row in webhooks.list_all()]


def get_webhook(webhook_id: str) -> dict[str, Any]:
    """One webhook, as :func:`serialize_webhook`.

    Raises:
        NotFoundError: ``webhook_not_found``.
    """
    return serialize_webhook(_find(webhooks.find, webhook_id))


def delete_webhook(webhook_id: str) -> None:
    """Delete a webhook; only a delivery on its way still arrives. Raises as :func:`get_webhook`."""
    _find(webhooks.delete, webhook_id)


def test_webhook(webhook_id: str) -> dict[str, Any]:
    """Send a delivery of type webhook.test, once. Returns and raises as :func:`get_webhook`."""
    return serialize_webhook(_find(webhooks.request_test, webhook_id))


def resume_webhook(webhook_id: str, key: Key) -> dict[str, Any]:
    """Resume a paused webhook with the changes from now on; those in between are in the feed. It belongs to
    the resuming key from then on.

    Returns and raises as :func:`get_webhook`.

    Raises:
        ForbiddenError: ``scope_missing``, as :func:`create_webhook`.
        ConflictError: ``webhook_not_paused``.
    """
    webhook = _find(webhooks.find, webhook_id)
    _check_scope(key, webhook["types"])
    row = webhooks.resume(webhook["id"], key.id)
    if row is None:
        raise ConflictError("This webhook is not paused.", code="webhook_not_paused")
    return serialize_webhook(row)


def rotate_secret(webhook_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the secret of a webhook. Returns as :func:`create_webhook`, raises as :func:`get_webhook`.

    Args:
        values: optionally ``overlap_hours``, while the former secret also signs; 0 ends all former ones.

    Raises:
        UnprocessableError: ``webhook_invalid``.
    """
    check_fields(values, (OVERLAP,), code="webhook_invalid")
    hours = values.get(OVERLAP, DEFAULT_OVERLAP)
    if type(hours) is not int or not 0 <= hours <= MAX_OVERLAP:
        raise _invalid(OVERLAP, f"must be a whole number from 0 to {MAX_OVERLAP}", max=MAX_OVERLAP)
    secret = make_secret()
    row = _find(webhooks.rotate_secret, webhook_id, secret, hours)
    return {**serialize_webhook(row), "secret": secret}


def serialize_webhook(row: db.Row) -> dict[str, Any]:
    """``{"id", "url", "types", "created_by", "created_at", "state", "pause_reason", "failing_since",
    "next_attempt_at", "results"}``.

    The URL is shown without its query, which may hold a token. ``pause_reason`` is null but while the state
    is ``paused``, ``next_attempt_at`` but while it is ``failing``. Results: the last ten, newest first, each
    as ``retries.Result`` without the sequence.
    """
    paused = row["paused_at"] or not row["has_key"]
    state = "paused" if paused else "failing" if row["failing_since"] else "active"
    base, query, _ = row["url"].partition("?")
    return {
        **{name: row[name] for name in ("id", "types", "created_by", "results")},
        "url": f"{base}?…" if query else base,
        "created_at": row["created_at"].isoformat(),
        "state": state,
        "pause_reason": row["pause_reason"] if row["has_key"] else "key_invalid",
        "failing_since": row["failing_since"].isoformat() if row["failing_since"] else None,
        "next_attempt_at": row["next_attempt_at"].isoformat() if state == "failing" else None,
    }


def _check_scope(key: Key, types: Sequence[str]) -> None:
    """Changes of images show their metadata. The scopes of a key never change, so this is final."""
    if any(name == ALL_TYPES or name.startswith("image.") for name in types):
        key.check_scope(READ)


def _parse_types(types: Any) -> list[str]:
    known = (*CHANGE_TYPES, ALL_TYPES)
    if not isinstance(types, list) or not types or any(name not in known for name in types):
        raise _invalid("types", "must be a list of event types", known=list(known))
    return [ALL_TYPES] if ALL_TYPES in types else [name for name in CHANGE_TYPES if name in types]


def _check_url(url: Any) -> str:
    """The URL. Its addresses are checked again for each delivery: names get others."""
    if not isinstance(url, str):
        raise _invalid("url", "must be a string")
    allow_private = get_settings().webhook_allow_private
    try:
        host = parse_url(url, allow_private=allow_private).host
        find_addresses(host, LOOKUP_SECONDS, allow_private=allow_private)
    except ValueError as error:
        raise _invalid("url", str(error)) from None
    except TimeoutError:
        raise _invalid("url", "has a host name that did not resolve in time") from None
    except AddressError as error:
        if error.code == "address_unknown":
            raise _invalid("url", "has a host name that does not resolve") from None
        raise UnprocessableError(
            "The URL resolves to an address that is not public.", code="webhook_address_private"
        ) from None
    return url


def _find(operation: Callable[..., T | None], webhook_id: str, *values: Any) -> T:
    """The result of an operation on a webhook that exists."""
    result = operation(webhook_id.lower(), *values) if is_id(webhook_id) else None
    if not result:
        raise NotFoundError("There is no such webhook.", code="webhook_not_found")
    return result
