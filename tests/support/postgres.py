"""Runs statements of tests and benchmarks in the same process as the service's."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2.extensions


@contextmanager
def without_time_limit() -> Iterator[None]:
    """Disable the service's statement time limits, and so allow COPY, which psycopg2 refuses under a wait
    callback.
    """
    callback = psycopg2.extensions.get_wait_callback()
    psycopg2.extensions.set_wait_callback(None)
    try:
        yield
    finally:
        psycopg2.extensions.set_wait_callback(callback)
