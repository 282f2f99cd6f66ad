"""Statements of tests and benchmarks, beside those of the service in the same process."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2.extensions


@contextmanager
def without_time_limit() -> Iterator[None]:
    """The service's own statements may take as long as they need, and COPY works: psycopg2 refuses it under a
    wait callback.
    """
    callback = psycopg2.extensions.get_wait_callback()
    psycopg2.extensions.set_wait_callback(None)
    try:
        yield
    finally:
        psycopg2.extensions.set_wait_callback(callback)
