"""What servers need of this machine: a port, a lock on their data, and a user who is not root."""

import contextlib
import fcntl
import os
import pwd
import random
import re
import shutil
import socket
import sys
import time
from pathlib import Path

import psutil

from local.errors import LocalError

HOST = "127.0.0.1"
PORTS = range(10_000, 20_000)
"""Below those of outgoing connections (from 32,768 on) and of the S3 server's own parts (from 20,000 on)."""
LOG_LIMIT_BYTES = 10_000_000
STOPPING_SECONDS = 40.0
"""Longer than supervise.py gives a server to stop."""
CAP_DAC_READ_SEARCH = 2


def server_user(*folders: Path) -> pwd.struct_passwd | None:
    """The user for a server when we are root, as whom PostgreSQL refuses to run; else None.

    It is the owner of the first folder that is not root's, so that their files stay theirs; else `postgres`,
    else `nobody`.
    """
    if os.geteuid() != 0:
        return None
    for folder in folders:
        if folder.exists() and (uid := folder.stat().st_uid):
            with contextlib.suppress(KeyError):
                return pwd.getpwuid(uid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise LocalError("PostgreSQL refuses to run as root, and there is no user `nobody` to run it as.")


def become(user: pwd.struct_passwd, *paths: Path) -> list[str]:
    """What comes before a command of `user`, who then reaches `paths` even in folders such as /root."""
    if not shutil.which("setpriv"):
        raise LocalError(
            "Started by root, this needs setpriv (of util-linux): install it, or run as another user."
        )
    command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if not all(can_reach(path, user) for path in paths):
        held = int(re.findall(r"CapPrm:\s*(\w+)", Path("/proc/self/status").read_text())[0], 16)
        # Docker leaves root only the second one, with which the server may write anywhere, too.
        capability = "dac_read_search" if held >> CAP_DAC_READ_SEARCH & 1 else "dac_override"
        # initdb finds programs by access(2), which knows capabilities only with this bit.
        command.append("--securebits=+no_setuid_fixup")
        command += [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
    return command


def can_reach(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether the modes let `user` enter every folder above `path`."""
    for folder in path.resolve().parents:
        status = folder.stat()
        shift = 6 if status.st_uid == user.pw_uid else 3 if status.st_gid == user.pw_gid else 0
        if not status.st_mode >> shift & 1:
            return False
    return True


def free_port() -> int:
    """A port for a server, of PORTS: elsewhere an outgoing connection may take it before the server does, and
    a client that waits for the server there may even be connected to itself.
    """
    return next(port for port in random.sample(PORTS, len(PORTS)) if is_port_free(port))


def is_port_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def port_taken(port: int, purpose: str, variable: str) -> LocalError:
    """The error that names the port's owner, where it can be known, and the variable that moves it."""
    return LocalError(
        f"Port {port}, meant for {purpose}, is taken{_port_owner(port)}. "
        f"Stop that, or take another port: make run {variable}={port + 1}"
    )


def _port_owner(port: int) -> str:
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""


def take_lock(path: Path, seconds: float = 0.0) -> int | None:
    """A descriptor that holds the lock on `path`, or None when others hold it for longer than `seconds`.

    A lock is the one sign of life that neither a crash nor a pid that is used again can forge.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError as error:
        owner = path.parent.owner()
        raise LocalError(
            f"{path} cannot be written: {path.parent} belongs to {owner}. Run as {owner}, or remove it."
        ) from error
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.02)


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock on `path`."""
    with contextlib.suppress(OSError), path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def take_server_lock(path: Path, name: str) -> int:
    """The lock on a server's data. Waits for a server whose owner was killed, while supervise.py ends it."""
    lock = take_lock(path, 1)
    if lock is None:
        print(f"  waiting for {name} of an earlier run to stop", file=sys.stderr)
        lock = take_lock(path, STOPPING_SECONDS)
    if lock is None:
        raise LocalError(
            f"A process of an earlier run still uses {path}; find it with `lsof {path}` and end it."
        )
    return lock
