"""How long what is going on may still take: one limit for all that it waits for, in both stores."""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

from aws_lambda_powertools.utilities.typing import LambdaContext

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


def function_limit(context: LambdaContext) -> AbstractContextManager[None]:
    """Let everything inside end a second before Lambda's Timeout, whatever a store does."""
    return time_limit(max(1.0, context.get_remaining_time_in_millis() / 1000 - 1))


def time_left() -> float:
    """Seconds left of the limit; infinite without one."""
    deadline = _deadline.get()
    return math.inf if deadline is None else deadline - time.monotonic()
