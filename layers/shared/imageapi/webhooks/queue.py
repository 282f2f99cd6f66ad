"""Lease webhooks whose deliveries are due, and note what became of them.

The rows of ``webhooks`` are the queue. Messages and polls only say when to look: they may be lost or
repeated.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from imageapi.catalog import webhooks
from imageapi.database import db
from imageapi.telemetry.logs import get_logger
from imageapi.webhooks.messages import change_message, test_message
from imageapi.webhooks.progress import advance

MAX_MESSAGES = 20
"""Messages that one lease of a webhook covers."""
MAX_BYTES = 200_000
"""No message is added to a lease whose bodies have more characters: Lambda's answers may have 6 MB."""
MAX_WEBHOOKS = 20
"""Webhooks in all, and so in one take."""


def run(event: dict[str, Any]) -> dict[str, Any]:
    """Answer ``{"take": limit}`` with ``{"deliveries": […]}``, ``{"settle": outcomes}`` as :func:`settle`."""
    if "take" in event:
        return {"deliveries": take(event["take"])}
    return settle(event["settle"])


def take(limit: int) -> list[dict[str, Any]]:
    """Lease up to ``limit`` webhooks with something to send, those that have waited longest first.

    Returns:
        For each ``{"webhook_id", "lease_token", "url", "secret", "messages": [as messages.change_message]}``;
        messages are to be sent in their order, each when the one before was accepted.
    """
    deliveries = []
    for webhook in webhooks.acquire_leases(min(limit, MAX_WEBHOOKS)):
        messages = [test_message(webhook)] if webhook["wants_test"] else _find_messages(webhook)
        if messages:
            names = {"webhook_id": webhook["id"], "lease_token": webhook["lease_token"]}
            delivery = {**names, "url": webhook["url"], "secret": webhook["secret"], "messages": messages}
            deliveries.append(delivery)
        else:
            webhooks.release_lease(webhook)
    return deliveries


def _find_messages(webhook: db.Row) -> list[dict[str, Any]]:
    """The next messages of a webhook. Changes that it does not want are skipped for good."""
    messages: list[dict[str, Any]] = []
    after = webhook["sequence"]
    while not messages:
        seen, rows = webhooks.find_changes(after, webhook["types"], MAX_MESSAGES)
        if seen is None:
            break
        length = 0
        for row in rows:
            if length > MAX_BYTES:
                break
            messages.append(change_message(row))
            length += len(messages[-1]["body"])
        if not messages:
            webhooks.skip(webhook, seen)
            after = seen
    return messages


def settle(outcomes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Note the results of deliveries, and release the leases. A lease that was lost changes nothing.

    Args:
        outcomes: for each lease ``{"webhook_id", "lease_token", "results": [as progress.Result]}``.

    Returns:
        ``{"settled": int, "lost": int, "next_in": float or None}``: the seconds until the first of these
        webhooks is tried again.
    """
    answers = [db.transaction(partial(_settle, outcome)) for outcome in outcomes]
    waits = [seconds for known, seconds in answers if known and seconds is not None]
    settled = sum(known for known, _ in answers)
    return {"settled": settled, "lost": len(answers) - settled, "next_in": min(waits, default=None)}


def _settle(outcome: dict[str, Any], cursor: db.Cursor) -> tuple[bool, float | None]:
    """Whether the lease was still held, and the seconds until the next attempt if there has to be one."""
    webhook = webhooks.lock_leased(cursor, outcome["webhook_id"], outcome["lease_token"])
    if webhook is None:
        return False, None
    now = webhook["now"]
    values = advance(webhook, outcome["results"], now)
    webhooks.save(cursor, webhook["id"], values)
    if values["paused_at"] and not webhook["paused_at"]:
        get_logger().warning("webhook paused", extra={"webhook_id": webhook["id"]})
    if values["paused_at"] or not values["failing_since"]:
        return True, None
    return True, max(0.0, (values["next_attempt_at"] - now).total_seconds())
