"""Real PostgreSQL and real S3 for one run, in a folder that is removed afterwards."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import ROOT
from benchmarks.figures import BenchmarkError


@contextmanager
def run_servers() -> Iterator[dict[str, str]]:
    """Start both servers; yields the environment of a function that uses them."""
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
            yield service_environment(postgres, s3) | {"AWS_REGION": "us-east-1"}
        except LocalError as error:
            raise BenchmarkError(str(error)) from error
        finally:
            s3.stop()
            postgres.stop()
