"""The API alone, in front of stores that the environment names: as in docker-compose.yml.

python -m local.serve --host 0.0.0.0 --port 8000
"""

import argparse
import contextlib
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import psycopg2

from local.errors import LocalError
from local.gateway.app import Gateway
from local.gateway.host_header import is_loopback, make_host_check
from local.gateway.http_server import ApiServer
from local.gateway.logs import LogSink
from local.gateway.pollers import start_pollers
from local.gateway.pool import make_pools
from local.servers.ports import HOST, port_taken
from local.settings import Settings, load_settings, placeholders


def connect(settings: Settings) -> Any:
    """A connection to the database in the settings."""
    value = settings.value
    return psycopg2.connect(
        host=value("DB_HOST"),
        port=value("DB_PORT", "5432"),
        user=value("POSTGRES_USER", "postgres"),
        password=value("POSTGRES_PASSWORD"),
        dbname=value("POSTGRES_DB", "imagedb"),
        sslmode=value("DB_SSLMODE", "prefer"),
        connect_timeout=5,
    )


def refuse_placeholders(settings: Settings, host: str) -> None:
    """Raise LocalError if other machines could use the published example keys.

    PUBLISHED_ON_LOOPBACK=true means that a container's port is published only on loopback.
    """
    if is_loopback(host) or settings.value("PUBLISHED_ON_LOOPBACK").lower() == "true":
        return
    if found := placeholders(settings):
        raise LocalError(
            f"Refusing to listen on {host}: {' and '.join(found)} still have the public values "
            "of .env.example. Set your own. In a container whose port is published on 127.0.0.1 only, set "
            "PUBLISHED_ON_LOOPBACK=true."
        )


def serve(settings: Settings, host: str) -> None:
    """Serve requests until SIGINT or SIGTERM. Raises LocalError if it cannot start."""
    refuse_placeholders(settings, host)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    logs = LogSink(None)
    template, pools = make_pools(settings, None, logs)
    try:
        server = ApiServer(settings.port, host)
    except OSError as error:
        raise port_taken(settings.port, "the API", "PORT") from error
    with contextlib.closing(server), tempfile.TemporaryDirectory() as folder:
        is_ours = make_host_check(host, settings.value("PUBLIC_BASE_URL"))
        server.start(Gateway(template.api, pools, server.port, is_ours))
        print(f"The API is running at http://{host}:{server.port}", flush=True)
        stop_pollers = start_pollers(settings, pools, lambda: connect(settings), logs, Path(folder))
        stop.wait()
        stop_pollers()
        server.stop()
        for pool in pools.values():
            pool.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.serve", description=__doc__)
    parser.add_argument("--host", default=HOST, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, help="port to listen on (default: PORT or 8000)")
    arguments = parser.parse_args()
    try:
        serve(load_settings(port=arguments.port), arguments.host)
    except LocalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
