"""The time limit of the current operation, shared by all its calls to both stores."""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Limit the block to ``seconds`` in total. A nested limit can only shorten the outer one."""
    outer = _deadline.get()
    inner = time.monotonic() + seconds
    token = _deadline.set(inner if outer is None else min(outer, inner))
    try:
        yield
    finally:
        _deadline.reset(token)


def function_limit(context: "LambdaContext") -> AbstractContextManager[None]:
    """End the block a second before the Lambda timeout, even if a store hangs."""
    return time_limit(max(1.0, context.get_remaining_time_in_millis() / 1000 - 1))


def time_left() -> float:
    """Seconds until the limit; infinite without one."""
    deadline = _deadline.get()
    return math.inf if deadline is None else deadline - time.monotonic()
