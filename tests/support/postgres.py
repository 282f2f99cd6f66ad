"""PostgreSQL for tests and benchmarks: beside the service in one process, and without waits for the disk."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2.extensions
from imageapi.database.grants import grant_users

from local.servers.postgres import PostgresServer
from tests.support.events import database_users


@contextmanager
def without_time_limit() -> Iterator[None]:
    """Disable the statement time limits: psycopg2 refuses COPY under their wait callback."""
    callback = psycopg2.extensions.get_wait_callback()
    psycopg2.extensions.set_wait_callback(None)
    try:
        yield
    finally:
        psycopg2.extensions.set_wait_callback(callback)


def turn_fsync_off(postgres: PostgresServer) -> None:
    """No test cuts the power. On a busy disk, syncing the files of emptied tables takes most of a minute, and
    a commit may exceed a statement's time limit.
    """
    with closing(postgres.connect()) as connection:
        connection.autocommit = True
        connection.cursor().execute("ALTER SYSTEM SET fsync = off")
        connection.cursor().execute("SELECT pg_reload_conf()")


def create_users(postgres: PostgresServer) -> None:
    """Create the functions' users of the database as MigrateFunction does, all with the owner's password."""
    logins = {
        prefix.removeprefix("DB_").lower(): (user, postgres.password)
        for prefix, user in database_users().items()
    }
    with closing(postgres.connect()) as connection, connection, connection.cursor() as cursor:
        # Each test opens connections; the default of 4,096 iterations is most of their cost.
        cursor.execute("SET scram_iterations = 1")
        grant_users(cursor, logins)
