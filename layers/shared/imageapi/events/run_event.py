"""Run asynchronous work with log, metrics and a time limit. The counterpart of ``http.app``."""

from collections.abc import Callable, Collection
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from imageapi.actor import acting_as
from imageapi.config.secrets import SECRETS_MAX_AGE
from imageapi.config.settings import get_settings, refresh_settings
from imageapi.deadline import function_limit
from imageapi.errors import MaintenanceError
from imageapi.telemetry.logs import add_context, get_logger
from imageapi.telemetry.metrics import record_outcome
from imageapi.webhooks.wake import wake_webhooks

Event = dict[str, Any]
Work = Callable[[Event], dict[str, Any]]


def run_event(
    name: str,
    work: Work,
    event: Event,
    context: LambdaContext,
    *,
    counted: bool = False,
    wakes: bool = False,
    in_maintenance: bool = False,
    hidden: Collection[str] = (),
) -> dict[str, Any]:
    """Do ``work`` on an asynchronous event, log its outcome and write its metrics.

    Args:
        counted: whether the numbers in the outcome become metrics. Those of a dry run never do.
        wakes: whether the work can change images and so must start webhooks.
        in_maintenance: whether the work runs during maintenance. Other work fails and is retried after it.
        hidden: names in the outcome that are not logged.

    Errors are logged and re-raised: Lambda retries, then sends the event to the dead-letter queue, if any.
    """
    logger = get_logger()
    add_context(context)
    refresh_settings(SECRETS_MAX_AGE)
    try:
        with function_limit(context), acting_as(None, context.aws_request_id):
            if not in_maintenance and get_settings().maintenance:
                raise MaintenanceError()
            try:
                outcome = work(event)
            finally:  # work that fails may have committed changes
                if wakes:
                    wake_webhooks()
    except Exception:
        logger.exception(f"{name} failed")
        raise
    logger.info(name, extra={key: value for key, value in outcome.items() if key not in hidden})
    counts = outcome if counted and not outcome.get("dry_run") else {}
    record_outcome(name, counts, context.function_name)
    return outcome
