"""Servers that do not start, or not with these settings."""

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from local.errors import LocalError
from local.servers.managed import ManagedServer
from local.servers.postgres import PostgresServer
from local.servers.process import ManagedProcess
from tests.support.postgres import without_time_limit


@pytest.fixture(autouse=True)
def no_limits() -> Iterator[None]:
    """Those of the service in this process, if other tests have imported it."""
    with without_time_limit():
        yield


class NotReadyError(Exception):
    pass


class Shell(ManagedServer):
    """A shell command that is never ready."""

    name = "Shell"
    key = "shell"
    port_variable = "SHELL_PORT"
    not_ready = (NotReadyError,)
    stop_signal = signal.SIGTERM
    stop_seconds = 5

    def __init__(self, data_dir: Path, command: str, answer: Exception) -> None:
        super().__init__(data_dir, 0)
        self._command = command
        self._answer = answer

    def _prepare_folder(self) -> None:
        self.folder.mkdir(exist_ok=True)

    def _make_server(self) -> ManagedProcess:
        return self._make_process(Path("/bin/sh"), ["-c", self._command], {}, lock=self._lock)

    def _check_ready(self) -> None:
        raise self._answer


def test_a_server_that_ends_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    server = Shell(tmp_path / "data", "echo no luck; exit 3", NotReadyError("refused\n"))
    with pytest.raises(LocalError, match=r"(?s)Shell did not start \(refused\)\. .*shell\.log.* no luck"):
        server.start()
    assert not server.is_running()


def test_a_server_that_can_never_be_ready_is_stopped_at_once(tmp_path: Path) -> None:
    server = Shell(tmp_path / "data", "exec sleep 60", LocalError("Another key."))
    with pytest.raises(LocalError, match=r"Another key\."):
        server.start()
    assert server.pid
    assert not server.is_running()


def test_a_database_that_was_made_with_another_password_is_told_and_kept(tmp_path: Path) -> None:
    first = PostgresServer(tmp_path / "data", password="first")
    first.start()
    first.stop()
    other = PostgresServer(tmp_path / "data", password="other")
    with pytest.raises(LocalError, match="another POSTGRES_USER or POSTGRES_PASSWORD"):
        other.start()
    assert not other.is_running()
    first.start()
    assert first.is_running()
    first.stop()


def test_a_database_that_does_not_end_in_time_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PostgresServer, "stop_seconds", 0.2)
    server = PostgresServer(tmp_path / "data")
    server.start()
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(
            """SELECT backend_type, pid FROM pg_stat_activity
               WHERE backend_type IN ('checkpointer', 'background writer', 'walwriter')"""
        )
        family = {kind: psutil.Process(pid) for kind, pid in cursor.fetchall()}
    assert len(family) == 3
    family["checkpointer"].suspend()

    server.stop()

    assert not server.is_running()
    _, alive = psutil.wait_procs(list(family.values()), timeout=10)
    assert alive == []
    server.start()
    assert server.is_running()
    server.stop()
