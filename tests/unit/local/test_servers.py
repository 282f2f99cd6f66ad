"""The servers of a local run: free ports, locks that show that they are alive, and their user."""

import os
import pwd
import socket
import threading
from pathlib import Path

import pytest

from local.servers.locks import is_locked, take_lock
from local.servers.ports import HOST, PORTS, free_port, port_taken
from local.servers.s3 import choose_internal_ports
from local.servers.users import can_reach, server_user


def test_ports_are_free_and_below_those_of_outgoing_connections() -> None:
    port = free_port()
    assert port in PORTS
    with socket.create_server((HOST, port)):
        assert free_port() != port
    for port in range(1024, 65536, 6410):
        found = choose_internal_ports(port)
        assert found == choose_internal_ports(port)
        assert len(set(found.values())) == len(found)
        assert PORTS.stop <= min(found.values()) <= max(found.values()) < 32_768
        assert found["admin.port.grpc"] == found["admin.port"] + 10_000
    taken = choose_internal_ports(9000)["filer.port"]
    with socket.create_server((HOST, taken)):
        assert taken not in choose_internal_ports(9000).values()


def test_port_error_names_who_has_it_and_the_variable_that_moves_it() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        text = str(port_taken(port, "PostgreSQL", "DB_PORT"))
    assert text.startswith(f"Port {port} (PostgreSQL) is already in use by ")
    assert f"(pid {os.getpid()})." in text
    assert f"make run DB_PORT={port + 1}" in text


def test_lock_is_held_once_waited_for_and_a_stale_file_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    path.write_text("left by a process that is gone")
    assert not is_locked(path)
    first = take_lock(path)
    assert first is not None
    assert is_locked(path)
    assert take_lock(path) is None
    threading.Timer(0.2, os.close, (first,)).start()
    second = take_lock(path, 20)
    assert second is not None
    os.close(second)
    assert not is_locked(path)


def test_servers_of_root_run_as_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert server_user(tmp_path) is None
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    user = server_user(tmp_path / "missing")
    assert user is not None
    assert user.pw_uid != 0


def make_user(uid: int, gid: int) -> pwd.struct_passwd:
    return pwd.struct_passwd(("somebody", "x", uid, gid, "", "/", "/bin/sh"))


def test_folder_closed_to_others_is_out_of_reach(tmp_path: Path) -> None:
    somebody = make_user(54321, 54321)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    owner = make_user(closed.stat().st_uid, 0)
    assert not can_reach(closed / "file", somebody)
    closed.chmod(0o711)
    assert can_reach(closed / "file", owner) == can_reach(tmp_path / "file", owner)
    assert can_reach(closed / "file", somebody) == can_reach(tmp_path / "file", somebody)
