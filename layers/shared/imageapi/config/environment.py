"""Read and check environment variables. An error names the variable. Pure."""

import re
from collections.abc import Mapping

from imageapi.errors import ConfigurationError


def read_int(
    env: Mapping[str, str], name: str, default: int, *, minimum: int = 1, maximum: int | None = None
) -> int:
    """A whole number; the default if it is not set.

    Raises:
        ConfigurationError: it is not a whole number, or out of bounds.
    """
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise ConfigurationError(f"{name} must be a whole number.") from None
    if value < minimum:
        raise ConfigurationError(f"{name} must be at least {minimum}.")
    if maximum is not None and value > maximum:
        raise ConfigurationError(f"{name} must be at most {maximum}.")
    return value


def require(env: Mapping[str, str], name: str) -> str:
    """The value of a required variable.

    Raises:
        ConfigurationError: it is not set, or empty.
    """
    value = env.get(name, "")
    if not value:
        raise ConfigurationError(f"{name} is not set.")
    return value


def read_matching(env: Mapping[str, str], name: str, default: str, pattern: str, what: str) -> str:
    """A value that matches the whole pattern; the default if it is not set.

    Args:
        what: names the expected value in the error message.

    Raises:
        ConfigurationError: it does not match.
    """
    value = env.get(name) or default
    if value and not re.fullmatch(pattern, value):
        raise ConfigurationError(f"{name} must be {what}.")
    return value


def read_url(env: Mapping[str, str], name: str) -> str | None:
    """An http or https URL without a query; None if it is not set.

    Raises:
        ConfigurationError: it is something else.
    """
    return read_matching(env, name, "", r"https?://[^\s/?#]+(/[^\s?#]*)?", "an http or https address") or None


def split(value: str) -> tuple[str, ...]:
    """The comma-separated parts, stripped, without empty ones."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def read_bool(env: Mapping[str, str], name: str) -> bool:
    """``true`` or ``false``, in upper or lower case; false if it is not set.

    Raises:
        ConfigurationError: it is something else.
    """
    text = env.get(name, "").strip().lower()
    if text not in ("", "true", "false"):
        raise ConfigurationError(f"{name} must be true or false.")
    return text == "true"
