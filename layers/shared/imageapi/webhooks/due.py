"""Lease webhooks whose deliveries are due, and record the results.

The rows of ``webhooks`` are the queue. SQS messages and polls only start a check, so they may be lost or
repeated.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from imageapi.catalog import webhooks
from imageapi.changes.serialize import MAX_BYTES, fit
from imageapi.database import db
from imageapi.telemetry.logs import get_logger
from imageapi.webhooks.messages import change_message, test_message
from imageapi.webhooks.retries import advance

MAX_MESSAGES = 20
"""Messages that one lease of a webhook covers."""
MAX_WEBHOOKS = 20
"""Webhooks in total, and therefore in one take."""


def run(event: dict[str, Any]) -> dict[str, Any]:
    """For ``{"take": true}``: ``{"deliveries": […], "next_in": float or None}``, the seconds until the next
    delivery is due. For ``{"settle": outcomes}``: as :func:`settle`.
    """
    if "take" in event:
        return {"deliveries": take(), "next_in": webhooks.find_next()}
    return settle(event["settle"])


def take() -> list[dict[str, Any]]:
    """Lease the webhooks with messages to send.

    Returns:
        For each ``{"webhook_id", "lease_token", "url", "secrets": [{"secret", "until"}], "messages": [as
        messages.change_message]}``. Send the messages in order, each after the previous one was accepted.
        Sign with each secret before its ``until`` (Unix seconds; None for the current secret).
    """
    deliveries = []
    leased = webhooks.acquire_leases(MAX_WEBHOOKS)
    for webhook in leased:
        share = MAX_BYTES // len(leased)
        messages = [test_message(webhook)] if webhook["wants_test"] else _find_messages(webhook, share)
        if messages:
            secrets = [{"secret": webhook["secret"], "until": None}, *webhook["old_secrets"]]
            names = {"webhook_id": webhook["id"], "lease_token": webhook["lease_token"]}
            deliveries.append({**names, "url": webhook["url"], "secrets": secrets, "messages": messages})
        else:
            webhooks.release_lease(webhook)
    return deliveries


def _find_messages(webhook: db.Row, max_bytes: int) -> list[dict[str, Any]]:
    """The next messages of a webhook. Changes of types that it does not receive are skipped permanently."""
    after = webhook["sequence"]
    while True:
        seen, rows = webhooks.find_changes(after, webhook["types"], MAX_MESSAGES)
        if seen is None or rows:
            return [change_message(row) for row in fit(rows, max_bytes)]
        webhooks.skip(webhook, seen)
        after = seen


def settle(outcomes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Record the results of deliveries, and release the leases. Results of a lost lease are ignored.

    Args:
        outcomes: for each lease ``{"webhook_id", "lease_token", "results": [as retries.Result]}``.

    Returns:
        ``{"settled": int, "lost": int}``.
    """
    settled = sum(db.transaction(partial(_settle, outcome)) for outcome in outcomes)
    return {"settled": settled, "lost": len(outcomes) - settled}


def _settle(outcome: dict[str, Any], cursor: db.Cursor) -> bool:
    """Record one outcome. Return whether the lease was still held."""
    webhook = webhooks.lock_leased(cursor, outcome["webhook_id"], outcome["lease_token"])
    if webhook is None:
        return False
    values = advance(webhook, outcome["results"], webhook["now"])
    webhooks.save(cursor, webhook["id"], values)
    if "paused_at" in values:
        facts = {"webhook_id": webhook["id"], "pause_reason": values["pause_reason"]}
        get_logger().warning("webhook paused", extra=facts)
    return True
