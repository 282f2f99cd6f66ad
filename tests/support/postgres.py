"""Statements of tests and benchmarks, beside those of the service in the same process."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2.extensions


@contextmanager
def without_time_limit() -> Iterator[None]:
    """Statements may take as long as they need, and COPY. (The wait callback of imageapi.database.db is for
    the whole process.)
    """
    callback = psycopg2.extensions.get_wait_callback()
    psycopg2.extensions.set_wait_callback(None)
    try:
        yield
    finally:
        psycopg2.extensions.set_wait_callback(callback)
