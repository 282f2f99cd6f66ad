"""Servers that fail to start, at all or with certain settings."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from local.errors import LocalError
from local.servers import postgres
from local.servers.base_server import Server
from local.servers.ports import HOST
from local.servers.postgres import PostgresServer, find_binaries
from local.servers.users import become, server_user
from tests.support.postgres import without_time_limit
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def no_limits() -> Iterator[None]:
    """Disables the service's time limits in this process, if other tests have imported it."""
    with without_time_limit():
        yield


PR_SET_CHILD_SUBREAPER = 36


class NotReadyError(Exception):
    pass


class Shell(Server):
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

    def _make_command(self) -> list[str | Path]:
        return ["/bin/sh", "-c", self._command]

    def _check_ready(self) -> None:
        raise self._answer


def test_a_server_that_ends_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    server = Shell(tmp_path / "data", "echo no luck; exit 3", NotReadyError("refused\n"))
    with pytest.raises(LocalError, match=r"(?s)Shell did not start \(refused\)\. .*shell\.log.* no luck"):
        server.start()
    assert not server.is_running()


def test_a_server_that_can_never_be_ready_is_stopped_at_once(tmp_path: Path) -> None:
    server = Shell(tmp_path / "data", "exec sleep 60", LocalError("Another key."))
    started = time.monotonic()
    with pytest.raises(LocalError, match=r"Another key\."):
        server.start()
    assert server.pid
    assert not server.is_running()
    assert time.monotonic() - started < 30


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


@pytest.mark.skipif(sys.platform != "linux", reason="a process that inherits others' children")
def test_killed_server_that_nobody_reaps_does_not_hinder_the_next(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path / "data")
    server.start()
    process = psutil.Process(server.pid)
    pids = [process.pid, *(child.pid for child in process.children())]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        process.suspend()
        process.parent().kill()
        wait_until(lambda: process.ppid() == os.getpid())
        process.kill()
        wait_until(lambda: process.status() == psutil.STATUS_ZOMBIE)
        following = PostgresServer(tmp_path / "data")
        following.start()
        following.stop()
        assert process.status() == psutil.STATUS_ZOMBIE
    finally:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0)
        for pid in pids:
            os.waitpid(pid, 0)


def test_pid_of_a_killed_server_may_be_another_one_s_by_now(tmp_path: Path) -> None:
    server, other = PostgresServer(tmp_path / "data"), PostgresServer(tmp_path / "other")
    server.start()
    server.kill()
    other.start()
    path = server.folder / "postmaster.pid"
    path.write_text(path.read_text().replace(f"{server.pid}\n", f"{other.pid}\n", 1))
    server.start()
    assert other.is_running()
    server.stop()
    other.stop()


@pytest.fixture
def by_hand(tmp_path: Path) -> Iterator[tuple[PostgresServer, subprocess.Popen[bytes]]]:
    """A stopped server with data, and a PostgreSQL started by hand on that data."""
    server = PostgresServer(tmp_path / "data")
    server.start()
    server.stop()
    program, user = find_binaries() / "postgres", server_user(server.folder)
    command: list[str | Path] = [*(become(user, program, server.folder) if user else []), program]
    command += ["-D", server.folder]
    command += [
        "-c",
        f"port={server.port}",
        "-c",
        f"listen_addresses={HOST}",
        "-c",
        "unix_socket_directories=",
    ]
    with subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: (server.folder / "postmaster.pid").exists())
        server.port = 0
        yield server, process
        process.send_signal(signal.SIGINT)


def test_server_that_was_started_by_hand_is_left_alone(
    by_hand: tuple[PostgresServer, subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, process = by_hand
    monkeypatch.setattr(postgres, "ENDING_SECONDS", 0.1)
    with pytest.raises(LocalError, match=rf"(?s)PostgreSQL did not start.*PID {process.pid}"):
        server.start()
    assert process.poll() is None


def test_server_that_is_about_to_end_is_waited_for(
    by_hand: tuple[PostgresServer, subprocess.Popen[bytes]],
) -> None:
    server, process = by_hand
    threading.Timer(0.5, process.send_signal, [signal.SIGINT]).start()
    server.start()
    server.stop()


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
