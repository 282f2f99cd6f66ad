"""Run the whole service until a signal: stores, workers and the API."""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from local.errors import LocalError
from local.gateway.host_header import make_host_check
from local.gateway.http_server import ApiServer
from local.gateway.logs import LogSink
from local.run_info import RUN_FILE, RUN_LOCK, collect_run_info, print_run_info, say, short, write_run_info
from local.servers.base_server import Server
from local.servers.locks import take_lock
from local.servers.ports import HOST, port_taken
from local.servers.postgres import PostgresServer
from local.servers.s3 import LOOPBACK_HOSTS, S3Server
from local.settings import OwnStores, Settings, page_origins

if TYPE_CHECKING:
    from local.gateway.pool import Pool

MIGRATE = "MigrateFunction"
WATCH_SECONDS = 0.5
RESTARTS_ALLOWED = 5
RESTART_WINDOW_SECONDS = 60.0
LOOK_SECONDS = 0.5
"""How long to wait for the lock, which run_info.find_run_info() holds briefly."""


class Runner:
    """One run. A lock on the data folder excludes other runs."""

    def __init__(self, settings: Settings, ready_file: Path | None = None) -> None:
        self._settings = settings
        self._data_dir = settings.data_dir
        own = self._data_dir / RUN_FILE
        self._ready_files = [own, ready_file] if ready_file else [own]
        self._stop = threading.Event()
        self._restarts: list[float] = []
        self._pools: dict[str, Pool] = {}

    def run(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP, then stop everything. Raises LocalError."""
        started = time.monotonic()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._stop.set())
        for line in self._settings.unused:
            say(f"note: {line}")
        with contextlib.ExitStack() as stack:
            stack.enter_context(hold_folder(self._data_dir))
            self._remove_ready_files()  # of a killed run
            try:
                api = stack.enter_context(contextlib.closing(ApiServer(self._settings.port)))
            except OSError as error:
                raise port_taken(self._settings.port, "the API", "PORT") from error
            self._serve(api, stack, started)
        say("Stopped")

    def _serve(self, api: ApiServer, stack: contextlib.ExitStack, started: float) -> None:
        postgres, s3 = make_servers(self._settings, api.port)
        say("Starting PostgreSQL and S3")
        stack.callback(s3.stop)
        s3.launch()
        stack.callback(postgres.stop)
        postgres.launch()
        # Import SAM CLI while S3 starts: both take about the same time.
        from local.gateway.app import Gateway
        from local.gateway.pollers import start_pollers
        from local.gateway.pool import make_pools

        logs = LogSink(self._data_dir / "api.log")
        stores = OwnStores(postgres.port, s3.endpoint_url)
        template, self._pools = make_pools(self._settings, stores, logs, unseen=MIGRATE)
        stack.callback(self._close_pools)
        is_ours = make_host_check(HOST, self._settings.value("PUBLIC_BASE_URL"))
        app = Gateway(template.api, self._pools, api.port, is_ours)
        executor = ThreadPoolExecutor(1)
        s3_ready = executor.submit(s3.wait_ready)
        executor.shutdown(wait=False)  # errors below do not wait for S3
        postgres.wait_ready()
        self._bring_up_to_date()
        s3_ready.result()
        if self._stop.is_set():
            return
        api.start(app)
        stack.callback(api.stop)
        info = collect_run_info(api.port, self._settings.client_key, postgres, s3)
        stack.callback(self._remove_ready_files)
        write_run_info(self._ready_files, info)
        print_run_info(info, self._data_dir, time.monotonic() - started)
        stack.callback(start_pollers(self._settings, self._pools, postgres.connect, logs, self._data_dir))
        threading.Thread(target=self._warm, daemon=True).start()
        while not self._stop.wait(WATCH_SECONDS):
            self._keep_alive(postgres)
            self._keep_alive(s3)
            info = self._update_run_info(
                info, collect_run_info(api.port, self._settings.client_key, postgres, s3)
            )
        say("Stopping")

    def _bring_up_to_date(self) -> None:
        """Create or migrate the schema, with the function that a deploy uses."""
        from local.gateway.worker import InvokeError

        if MIGRATE not in self._pools:
            return
        try:
            answer = json.loads(self._pools[MIGRATE].invoke("{}"))
        except InvokeError as error:
            setting = str(error).partition("ConfigurationError: ")[2]
            raise LocalError(setting or f"The database has no schema: {MIGRATE} {error}.") from error
        if answer["applied"]:
            say(f"Updated the database schema: {', '.join(answer['applied'])}")
        if answer["suspended_keys"]:
            say(
                f"The database was restored. {answer['suspended_keys']} API keys are suspended: run "
                "make keys-confirm"
            )

    def _keep_alive(self, server: Server) -> None:
        if server.is_running():
            return
        now = time.monotonic()
        self._restarts = [at for at in self._restarts if now - at < RESTART_WINDOW_SECONDS] + [now]
        if len(self._restarts) > RESTARTS_ALLOWED:
            raise LocalError(f"{server.name} keeps stopping. Its log is in {short(self._data_dir)}.")
        say(f"{server.name} stopped unexpectedly. Restarting it")
        server.start()
        say(f"{server.name} is running again, with its data")

    def _update_run_info(self, written: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
        """Rewrite the ready files if a restart changed the info. Return their current content."""
        if written == current:
            return written
        try:
            write_run_info(self._ready_files, current)
        except OSError:  # the disk is full: the next round tries again
            return written
        return current

    def _warm(self) -> None:
        for pool in self._pools.values():
            if self._stop.is_set():
                return
            pool.warm()

    def _close_pools(self) -> None:
        threads = [threading.Thread(target=pool.close) for pool in self._pools.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _remove_ready_files(self) -> None:
        for path in self._ready_files:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def hold_folder(data_dir: Path) -> Iterator[None]:
    """Create the data folder if missing, and lock it against other runs."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / RUN_LOCK
    lock = take_lock(path, LOOK_SECONDS)
    if lock is None:
        raise LocalError(
            f"{short(data_dir)} is in use by another run (pid {path.read_text() or 'unknown'}). "
            "Stop it, or give this one another folder and ports: "
            f"{short(Path(sys.executable))} -m local run --help"
        )
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    try:
        yield
    finally:
        os.close(lock)


def make_servers(settings: Settings, api_port: int) -> tuple[PostgresServer, S3Server]:
    """The two servers of a run, not started yet. Raises LocalError if their password or a key is empty."""
    value = settings.value
    for name in ("POSTGRES_PASSWORD", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"):
        if not value(name):
            raise LocalError(f"{name} is empty. Set it in .env, as .env.example shows.")
    postgres = PostgresServer(
        settings.data_dir,
        settings.db_port,
        user=value("POSTGRES_USER", "postgres"),
        password=value("POSTGRES_PASSWORD"),
        database=value("POSTGRES_DB", "imagedb"),
    )
    s3 = S3Server(
        settings.data_dir,
        settings.s3_port,
        access_key=value("MINIO_ACCESS_KEY"),
        secret_key=value("MINIO_SECRET_KEY"),
        bucket=value("MINIO_BUCKET_NAME", "images"),
        origins=page_origins(settings, api_port),
        hosts=[*LOOPBACK_HOSTS, urlsplit(value("MINIO_PUBLIC_ENDPOINT_URL")).hostname or "localhost"],
    )
    return postgres, s3
