"""Register, show, test, resume and delete webhooks."""

from collections.abc import Mapping
from typing import Any

from imageapi.catalog import webhooks
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.errors import AppError, ConflictError, NotFoundError, UnprocessableError
from imageapi.model.change_types import ALL_TYPES, CHANGE_TYPES
from imageapi.model.ids import is_id, new_id
from imageapi.model.parameters import find_unknown_field
from imageapi.webhooks.addresses import LOOKUP_SECONDS, AddressError, find_addresses, parse_url
from imageapi.webhooks.queue import MAX_WEBHOOKS
from imageapi.webhooks.sign import make_secret

FIELDS = ("url", "types")


class NotConfiguredError(AppError):
    """501: nothing here sends deliveries."""

    status = 501
    code = "webhooks_not_configured"

    def __init__(self) -> None:
        super().__init__("Webhooks are off here: the parameter Webhooks turns them on.")


def create_webhook(values: Mapping[str, Any]) -> dict[str, Any]:
    """Register a webhook, which follows the changes from now on.

    Args:
        values: ``url`` and ``types``, as sent.

    Returns:
        As :func:`serialize_webhook`, with ``secret``, which nobody can see again.

    Raises:
        NotConfiguredError: 501.
        UnprocessableError: ``webhook_invalid``, ``webhook_address_private``.
        ConflictError: ``too_many_webhooks``.
    """
    if not get_settings().webhooks:
        raise NotConfiguredError()
    unknown = find_unknown_field(values, FIELDS)
    if unknown is not None:
        raise _invalid(unknown, f"is not known; known are {', '.join(FIELDS)}")
    types = _parse_types(values.get("types"))
    url = _check_url(values.get("url"))
    secret = make_secret()
    row = webhooks.insert({"id": new_id()[0], "url": url, "types": types, "secret": secret}, MAX_WEBHOOKS)
    if row is None:
        raise ConflictError(
            f"There are {MAX_WEBHOOKS} webhooks, and there can be no more.",
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
    return serialize_webhook(_found(webhooks.find(_parse_id(webhook_id))))


def delete_webhook(webhook_id: str) -> None:
    """Delete a webhook; only a delivery on its way still arrives. Raises as :func:`get_webhook`."""
    if not webhooks.delete(_parse_id(webhook_id)):
        raise _not_found()


def test_webhook(webhook_id: str) -> dict[str, Any]:
    """Have a delivery of type webhook.test sent, once. Returns and raises as :func:`get_webhook`."""
    return serialize_webhook(_found(webhooks.request_test(_parse_id(webhook_id))))


def resume_webhook(webhook_id: str) -> dict[str, Any]:
    """Have a paused webhook follow the changes from now on; those in between are in the feed.

    Returns:
        As :func:`serialize_webhook`.

    Raises:
        NotFoundError: ``webhook_not_found``.
        ConflictError: ``webhook_not_paused``.
    """
    row = webhooks.resume(_parse_id(webhook_id))
    if row is None:
        _found(webhooks.find(webhook_id.lower()))
        raise ConflictError("This webhook is not paused.", code="webhook_not_paused")
    return serialize_webhook(row)


def serialize_webhook(row: db.Row) -> dict[str, Any]:
    """``{"id", "url", "types", "created_at", "state", "failing_since", "next_attempt_at", "results"}``.

    ``next_attempt_at`` is null but while the state is ``failing``. Results: the last ten, newest first, each
    ``{"id", "type", "time", "status", "error", "duration_ms"}``.
    """
    state = "paused" if row["paused_at"] else "failing" if row["failing_since"] else "active"
    return {
        **{name: row[name] for name in ("id", "url", "types")},
        "created_at": row["created_at"].isoformat(),
        "state": state,
        "failing_since": row["failing_since"].isoformat() if row["failing_since"] else None,
        "next_attempt_at": row["next_attempt_at"].isoformat() if state == "failing" else None,
        "results": row["results"],
    }


def _parse_types(types: Any) -> list[str]:
    known = (*CHANGE_TYPES, ALL_TYPES)
    if not isinstance(types, list) or not types or any(name not in known for name in types):
        raise _invalid("types", "must be a list of types of changes", known=list(known))
    return [ALL_TYPES] if ALL_TYPES in types else [name for name in CHANGE_TYPES if name in types]


def _check_url(url: Any) -> str:
    """The URL. Its addresses are checked again for each delivery: names get others."""
    if not isinstance(url, str):
        raise _invalid("url", "must be a text")
    allow_private = get_settings().webhook_allow_private
    try:
        host = parse_url(url, allow_private=allow_private).host
        find_addresses(host, LOOKUP_SECONDS, allow_private=allow_private)
    except ValueError as error:
        raise _invalid("url", str(error)) from None
    except TimeoutError:
        raise _invalid("url", "has a host name that could not be looked up in time") from None
    except AddressError as error:
        if error.code == "address_unknown":
            raise _invalid("url", "has a host name without an address") from None
        raise UnprocessableError(
            "The URL leads to an address that is not public.", code="webhook_address_private"
        ) from None
    return url


def _parse_id(webhook_id: str) -> str:
    if not is_id(webhook_id):
        raise _not_found()
    return webhook_id.lower()


def _found(row: db.Row | None) -> db.Row:
    if row is None:
        raise _not_found()
    return row


def _not_found() -> NotFoundError:
    return NotFoundError("There is no such webhook.", code="webhook_not_found")


def _invalid(field: str, problem: str, **details: Any) -> UnprocessableError:
    return UnprocessableError(
        f"The field {field} {problem}.", code="webhook_invalid", details={"field": field, **details}
    )
