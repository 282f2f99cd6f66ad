"""The JSON log. Its level is LOG_LEVEL; it never gets a key, a body or a setting."""

from functools import lru_cache

from aws_lambda_powertools import Logger

from imageapi.config import SERVICE, get_settings
from imageapi.errors import AppError


@lru_cache(maxsize=1)
def get_logger() -> Logger:
    """The logger of this execution environment; at level INFO when the settings cannot be read, so that this
    can be logged.
    """
    return Logger(service=SERVICE, utc=True, serialize_stacktrace=False, level=_find_level())


def _find_level() -> str:
    try:
        return get_settings().log_level
    except AppError:
        return "INFO"
