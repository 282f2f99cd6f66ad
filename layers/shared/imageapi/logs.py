"""The JSON log. Its level is LOG_LEVEL; it never gets a key, a body or a setting."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from imageapi.config import SECRETS_MAX_AGE, SERVICE, get_settings, refresh_settings
from imageapi.errors import AppError
from imageapi.metrics import record_outcome


@lru_cache(maxsize=1)
def get_logger() -> Logger:
    """The logger of this execution environment. It also tells of settings that are wrong, its level among
    them.
    """
    return Logger(service=SERVICE, utc=True, serialize_stacktrace=False, level=_find_level())


def _find_level() -> str:
    try:
        return get_settings().log_level
    except AppError:
        return "INFO"


def log_outcome(
    name: str,
    work: Callable[[dict[str, Any]], dict[str, Any]],
    event: dict[str, Any],
    context: LambdaContext,
    *,
    counted: bool = False,
) -> dict[str, Any]:
    """Do ``work`` on an event that no client waits for, and log what came of it.

    Args:
        counted: whether the numbers in the outcome are metrics; not those of a dry run.

    What ``work`` raises is logged and raised again: Lambda then tries again, and after that keeps the event.
    """
    logger = get_logger()
    logger.append_keys(request_id=context.aws_request_id)
    refresh_settings(SECRETS_MAX_AGE)
    try:
        outcome = work(event)
    except Exception:
        logger.exception(f"{name} failed")
        raise
    logger.info(name, extra=outcome)
    counts = outcome if counted and not outcome.get("dry_run") else {}
    record_outcome(name, counts, context.function_name)
    return outcome
