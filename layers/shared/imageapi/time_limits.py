"""How long what is going on may still take: one limit for all that it waits for, in both stores."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let everything inside take at most ``seconds`` in all, connecting included. A longer limit inside a
    shorter one makes no difference.
    """
    outer = _deadline.get()
    inner = time.monotonic() + seconds
    token = _deadline.set(inner if outer is None else min(outer, inner))
    try:
        yield
    finally:
        _deadline.reset(token)


def time_left() -> float:
    """Seconds left of the limit; infinite without one."""
    deadline = _deadline.get()
    return math.inf if deadline is None else deadline - time.monotonic()
