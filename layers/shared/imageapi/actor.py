"""The actor of the current operation. ``database.db`` passes it to the triggers that write the feed."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

ROOT = "root"
"""The id of the key from the environment, API_KEY."""


class Actor(NamedTuple):
    """Attributes:
    key_id: the id of the API key; ROOT; None for the service itself.
    request_id: Lambda's id of the request or event, which clients see as ``x-request-id``.
    """

    key_id: str | None = None
    request_id: str | None = None


NOBODY = Actor()
_actor: ContextVar[Actor] = ContextVar("actor", default=NOBODY)


@contextmanager
def acting_as(key_id: str | None, request_id: str | None = None) -> Iterator[None]:
    """Attribute the changes inside to a key.

    Args:
        request_id: None keeps the outer actor's.
    """
    token = _actor.set(Actor(key_id, request_id or _actor.get().request_id))
    try:
        yield
    finally:
        _actor.reset(token)


def get_actor() -> Actor:
    """The current actor, or NOBODY."""
    return _actor.get()
