"""The JSON log, at level LOG_LEVEL. It never contains a key, a body or a setting."""

from functools import lru_cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from imageapi.config.settings import SERVICE, get_settings
from imageapi.errors import AppError


@lru_cache(maxsize=1)
def get_logger() -> Logger:
    """This execution environment's logger. With unreadable settings, its level is INFO."""
    return Logger(service=SERVICE, utc=True, serialize_stacktrace=False, level=_find_level())


def add_context(context: LambdaContext) -> None:
    """Add ``request_id``, ``function_name`` and ``cold_start`` to the lines of this request or event."""
    logger = get_logger()
    # Powertools detects cold starts. log_event=False overrides the environment: the event is never logged.
    logger.inject_lambda_context(lambda _event, _context: None, log_event=False)({}, context)
    logger.remove_keys(["function_arn", "function_memory_size", "function_request_id", "key_id"])
    logger.append_keys(request_id=context.aws_request_id)


def _find_level() -> str:
    try:
        return get_settings().log_level
    except AppError:
        return "INFO"
