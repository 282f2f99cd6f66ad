"""Values out of a mapping of variables, each checked; a message names its variable. Pure."""

import re
from collections.abc import Mapping

from imageapi.errors import ConfigurationError


def read_int(
    env: Mapping[str, str], name: str, default: int, *, minimum: int = 1, maximum: int | None = None
) -> int:
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
    value = env.get(name, "")
    if not value:
        raise ConfigurationError(f"{name} is not set.")
    return value


def read_matching(env: Mapping[str, str], name: str, default: str, pattern: str, what: str) -> str:
    value = env.get(name) or default
    if value and not re.fullmatch(pattern, value):
        raise ConfigurationError(f"{name} must be {what}.")
    return value


def read_url(env: Mapping[str, str], name: str) -> str | None:
    return read_matching(env, name, "", r"https?://[^\s/?#]+(/[^\s?#]*)?", "an http or https address") or None


def split(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def split_keys(value: str) -> tuple[str, ...]:
    """Keys out of a variable, with commas between them, or out of secrets, each with a NUL at its end: a
    secret may have a comma in it.
    """
    return tuple(value.split("\0")[:-1]) if "\0" in value else split(value)


def read_bool(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name, "").strip().lower()
    if text not in ("", "true", "false"):
        raise ConfigurationError(f"{name} must be true or false.")
    return text == "true"
