"""The base class of a run's PostgreSQL and S3 servers."""

import abc
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, ClassVar

from local.errors import LocalError
from local.servers.locks import take_server_lock
from local.servers.ports import HOST, free_port, is_port_free, port_taken
from local.servers.users import become, server_user

END_WITH_OWNER = Path(__file__).with_name("end_with_owner.py")
START_SECONDS = 60.0
POLL_SECONDS = 0.02
SHOWN_LOG_LINES = 5
MAX_LOG_BYTES = 10_000_000
"""When a server starts, it truncates a longer log."""


class Server(abc.ABC):
    """One server with one data folder, `data_dir`/`key`. Its log and lock are next to that folder.

    Port 0 selects a free one. After launch(), host, port and pid are set. The server stops with this process,
    even if the process is killed (end_with_owner.py).
    """

    name: ClassVar[str]
    """The display name, for example in "PostgreSQL did not start"."""
    key: ClassVar[str]
    """The name of its data folder and, with a suffix, of its log and lock."""
    port_variable: ClassVar[str]
    """The setting for its port."""
    not_ready: ClassVar[tuple[type[Exception], ...]]
    """The errors of _check_ready() while the server starts."""
    stop_signal: ClassVar[signal.Signals]
    stop_seconds: ClassVar[float]

    def __init__(self, data_dir: Path, port: int) -> None:
        self.host = HOST
        self.port = port
        self.pid = 0
        self.data_dir = data_dir.resolve()
        self.folder = self.data_dir / self.key
        self._environ = {"PATH": os.environ.get("PATH", os.defpath)}
        self._log = self.data_dir / f"{self.key}.log"
        self._lock = self.data_dir / f"{self.key}.lock"
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it is ready. Raises LocalError after a failure."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Create the data folder if missing, and start the server without waiting for it."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        lock = take_server_lock(self._lock, self.name)
        try:
            if self.port and not is_port_free(self.port):
                raise port_taken(self.port, self.name, self.port_variable)
            self._prepare_folder()
            self.port = self.port or free_port()
            self._supervise(lock)
        finally:
            os.close(lock)

    def _supervise(self, lock: int) -> None:
        program, *arguments = self._make_command()
        # On Linux the server also stops if end_with_owner.py itself is killed.
        death = ["setpriv", f"--pdeathsig={self.stop_signal.name}"] if shutil.which("setpriv") else []
        command = [*self._as_user(program), *death, program, *arguments]
        ending = [str(int(self.stop_signal)), str(self.stop_seconds)]
        with self._open_log() as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", END_WITH_OWNER, *ending, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environ,
                cwd="/",
                pass_fds=[lock],
                start_new_session=True,  # Ctrl-C reaches only the owner, which stops all in order
            )
        assert self._supervisor.stdout
        with self._supervisor.stdout as answer:
            self.pid = int(answer.readline() or 0)

    def wait_ready(self) -> None:
        """Wait until the server is ready. If that takes too long, stop it and raise LocalError."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._check_ready()
                return
            except LocalError:
                self.stop()
                raise
            except self.not_ready as error:
                if not self.is_running() or time.monotonic() > deadline:
                    self.stop()
                    raise LocalError(
                        f"{self.name} did not start ({str(error).strip()}). {self._end_of_log()}"
                    ) from error
                time.sleep(POLL_SECONDS)

    def is_running(self) -> bool:
        return self._supervisor is not None and self._supervisor.poll() is None

    def stop(self) -> None:
        """Write everything and shut down. May be called twice."""
        if self._supervisor and self._supervisor.stdin:
            self._supervisor.stdin.close()
            self._supervisor.wait()

    def kill(self) -> None:
        """kill -9. All acknowledged data survives."""
        if self.is_running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.stop()

    @abc.abstractmethod
    def _prepare_folder(self) -> None:
        """Create the data folder, or check that it is usable."""

    @abc.abstractmethod
    def _make_command(self) -> Sequence[str | Path]:
        """The full path of the program, and its arguments for `port`."""

    @abc.abstractmethod
    def _check_ready(self) -> None:
        """Return if ready. Raise one of `not_ready` during the start, LocalError if it failed permanently."""

    def _server_user(self) -> pwd.struct_passwd | None:
        """The user to run the server as; None for the current one."""
        return server_user(self.folder, self.data_dir, self.data_dir.parent)

    def _as_user(self, program: str | Path) -> list[str]:
        """The command prefix that runs a program as the server's user."""
        user = self._server_user()
        return become(user, Path(program), self.folder) if user else []

    def _open_log(self) -> IO[bytes]:
        too_long = self._log.exists() and self._log.stat().st_size > MAX_LOG_BYTES
        return self._log.open("wb" if too_long else "ab")

    def _end_of_log(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-SHOWN_LOG_LINES:]
        return "\n    ".join([f"{self._log} ends with:", *lines])
