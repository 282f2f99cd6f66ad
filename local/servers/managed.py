"""What PostgreSQL and S3 have in common as servers of a run."""

import abc
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

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

START_SECONDS = 60.0
POLL_SECONDS = 0.02


class ManagedServer(abc.ABC):
    """One server with one data folder, `data_dir`/`key`; its log and its lock lie beside that.

    Port 0 takes a free one. After launch(), host, port and pid are known. The server ends with this process.
    """

    name: ClassVar[str]
    """For people, as in "PostgreSQL did not start"."""
    key: ClassVar[str]
    """The name of its data folder and, with an ending, of its log and its lock."""
    port_variable: ClassVar[str]
    """Which setting moves it to another port."""
    not_ready: ClassVar[tuple[type[Exception], ...]]
    """What _check_ready() raises while the server starts."""
    stop_signal: ClassVar[signal.Signals]
    stop_seconds: ClassVar[float]

    def __init__(self, data_dir: Path, port: int) -> None:
        self.host = HOST
        self.port = port
        self.data_dir = data_dir.resolve()
        self.folder = self.data_dir / self.key
        self._log = self.data_dir / f"{self.key}.log"
        self._lock = self.data_dir / f"{self.key}.lock"
        self._process: ManagedProcess | None = None

    @property
    def pid(self) -> int:
        """0 before the first start."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        """Start and wait until it is ready. Raises LocalError when it cannot."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Make the data folder when there is none, and start the server without waiting for it."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        os.close(take_server_lock(self._lock, self.name))
        if self.port:
            require_port(self.port, self.name, self.port_variable)
        self._prepare_folder()
        self.port = self.port or free_port()
        self._process = self._make_server()
        self._process.start()

    def wait_ready(self) -> None:
        """Return when it can be used. Raises LocalError, and stops it, when that takes too long."""
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
                    lines = self._process.last_log_lines() if self._process else ""
                    self.stop()
                    raise LocalError(
                        f"{self.name} did not start ({str(error).strip()}). {self._log} ends with:\n{lines}"
                    ) from error
                time.sleep(POLL_SECONDS)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it in order, with everything written."""
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """kill -9. The next start() has everything that it had confirmed."""
        if self._process:
            self._process.kill()

    @abc.abstractmethod
    def _prepare_folder(self) -> None:
        """Make the data folder, or see that it can be used."""

    @abc.abstractmethod
    def _make_server(self) -> ManagedProcess:
        """The server's process for `port`, not yet started."""

    @abc.abstractmethod
    def _check_ready(self) -> None:
        """Return when it can be used, raise one of `not_ready` while it starts, and LocalError for good."""

    def _server_user(self) -> User | None:
        """Whom it runs as; None for ourselves."""
        return server_user(self.folder, self.data_dir, self.data_dir.parent)

    def _make_process(
        self,
        program: Path,
        arguments: Sequence[str | Path],
        environ: Mapping[str, str],
        *,
        lock: Path | None = None,
        leftovers: Sequence[Path] = (),
    ) -> ManagedProcess:
        user = self._server_user()
        closed = user is not None and not (can_reach(program, user) and can_reach(self.folder, user))
        return ManagedProcess(
            self.name,
            [program, *arguments],
            log=self._log,
            lock=lock,
            environ={"PATH": os.environ.get("PATH", os.defpath), **environ},
            user=user,
            keep_path_access=closed,
            stop_signal=self.stop_signal,
            stop_seconds=self.stop_seconds,
            leftovers=leftovers,
        )
