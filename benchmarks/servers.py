"""Real PostgreSQL and real S3 for one run, in a folder that is removed afterwards."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions

from benchmarks import ROOT
from benchmarks.figures import BenchmarkError
from local.errors import LocalError
from local.servers.postgres import PostgresServer
from local.servers.s3 import S3Server
from tests.support.servers import service_environment


@contextmanager
def run_servers() -> Iterator[dict[str, str]]:
    """Start both servers; yields the environment of a function that uses them, as the database's owner."""
    with tempfile.TemporaryDirectory(prefix="image-api-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # the servers may run as another user
        postgres = PostgresServer(Path(folder), schema=ROOT / "init_db.sql")
        s3 = S3Server(Path(folder))
        try:
            postgres.start()
            s3.start()
            own = {"AWS_REGION": "us-east-1", "POSTGRES_USER": postgres.user}
            yield service_environment(postgres, s3) | own
        except LocalError as error:
            raise BenchmarkError(str(error)) from error
        finally:
            s3.stop()
            postgres.stop()


def connect(environ: Mapping[str, str]) -> psycopg2.extensions.connection:
    """A connection to the database of :func:`run_servers` that commits each statement."""
    connection = psycopg2.connect(
        host=environ["DB_HOST"],
        port=environ["DB_PORT"],
        dbname=environ["POSTGRES_DB"],
        user=environ["POSTGRES_USER"],
        password=environ["POSTGRES_PASSWORD"],
        sslmode=environ["DB_SSLMODE"],
    )
    connection.autocommit = True
    return connection


@contextmanager
def run_with_cursor() -> Iterator[tuple[dict[str, str], psycopg2.extensions.cursor]]:
    """:func:`run_servers`, and a cursor of :func:`connect`."""
    with run_servers() as environ, closing(connect(environ)) as connection, connection.cursor() as cursor:
        yield environ, cursor


def insert(cursor: psycopg2.extensions.cursor, table: str, values: Mapping[str, Any]) -> None:
    """Insert one row."""
    places = ", ".join(f"%({name})s" for name in values)
    cursor.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", values)
