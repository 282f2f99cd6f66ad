"""Sends deliveries of webhooks: on AWS when a message says that some are due; locally those it is given."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from imageapi.events.messages import batch_failures, parse_receipts
from imageapi.events.run_event import run_event
from imageapi.webhook_sender.drain import drain_queue, postpone
from imageapi.webhook_sender.send import send_all


def work(event: dict[str, Any]) -> dict[str, Any]:
    """``{"settle": […]}`` for deliveries; for messages, whether one of them stays in the queue."""
    if "deliveries" in event:
        return {"settle": list(send_all(event["deliveries"]))}
    outcome = drain_queue()
    # All messages say the same, so one is enough to come back.
    kept = parse_receipts(event)[:1] if outcome["next_in"] is not None else []
    for message in kept:
        postpone(message.receipt, outcome["next_in"])
    return {**outcome, **batch_failures(message.id for message in kept)}


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return run_event("notify", work, event, context)
