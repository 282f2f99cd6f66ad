"""Servers that fail to start, always or with certain settings."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from local.errors import LocalError
from local.servers import postgres
from local.servers.ports import HOST
from local.servers.postgres import PostgresServer, find_binaries
from local.servers.users import become, server_user
from tests.support.postgres import without_time_limit
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def no_limits() -> Iterator[None]:
    """Disable the service's time limits in this process, if other tests have imported it."""
    with without_time_limit():
        yield


PR_SET_CHILD_SUBREAPER = 36


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


def test_server_that_was_started_by_hand_is_left_alone_unless_it_is_about_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = PostgresServer(tmp_path / "data")
    server.start()
    server.stop()
    program, user = find_binaries() / "postgres", server_user(server.folder)
    command: list[str | Path] = [*(become(user, program, server.folder) if user else []), program]
    command += ["-D", server.folder]
    for setting in (f"port={server.port}", f"listen_addresses={HOST}", "unix_socket_directories="):
        command += ["-c", setting]
    server.port = 0
    pid_file = server.folder / "postmaster.pid"
    with subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: pid_file.exists() and pid_file.stat().st_size)
            with monkeypatch.context() as patch:
                patch.setattr(postgres, "ENDING_SECONDS", 0.1)
                with pytest.raises(LocalError, match=rf"(?s)PostgreSQL did not start.*PID {process.pid}"):
                    server.start()
            assert process.poll() is None
            assert not server.is_running()
        finally:
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
