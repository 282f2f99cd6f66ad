"""Real PostgreSQL and real S3 for one run, in a folder that is removed afterwards."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import ROOT
from benchmarks.figures import BenchmarkError

if TYPE_CHECKING:
    import psycopg2.extensions


@contextmanager
def run_servers() -> Iterator[dict[str, str]]:
    """Start both servers; yields the environment of a function that uses them, as the database's owner."""
    try:
        from local.errors import LocalError
        from local.servers.postgres import PostgresServer
        from local.servers.s3 import S3Server
        from tests.support.servers import service_environment
    except ImportError as error:
        raise BenchmarkError(f"{error}: install the development requirements first.") from error

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


def connect(environ: dict[str, str]) -> "psycopg2.extensions.connection":
    """A connection to the database of :func:`run_servers` that commits each statement."""
    import psycopg2

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
