"""Server processes that end with their owner, and the locks, ports and users that they need."""

import contextlib
import fcntl
import json
import os
import pwd
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from local.errors import LocalError

HOST = "127.0.0.1"
PORTS = range(10_000, 20_000)
"""Below those of outgoing connections (from 32,768 on) and of the S3 server's own parts (from 21,000 on)."""
SUPERVISE = Path(__file__).with_name("supervise.py")
LOG_LIMIT_BYTES = 10_000_000
LOCK_PATIENCE_SECONDS = 8.0
CLOCK_SECONDS = 1.0
"""The times at which processes began are no more exact than this."""
SHOWN_LOG_LINES = 5


@dataclass(frozen=True)
class User:
    """The user that a server runs as when root starts it."""

    uid: int
    gid: int
    name: str


def server_user(*folders: Path) -> User | None:
    """The user for a server when we are root, as whom PostgreSQL refuses to run; else None.

    It is the owner of the first folder that is not root's, so that their files stay theirs; else `postgres`,
    else `nobody`.
    """
    if os.geteuid() != 0:
        return None
    for candidate in folders:
        if candidate.exists() and (uid := candidate.stat().st_uid) != 0:
            with contextlib.suppress(KeyError):
                entry = pwd.getpwuid(uid)
                return User(uid, entry.pw_gid, entry.pw_name)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return User(entry.pw_uid, entry.pw_gid, name)
    raise LocalError("PostgreSQL refuses to run as root, and there is no user `nobody` to run it as.")


def can_reach(path: Path, user: User) -> bool:
    """Whether the modes let `user` enter every folder above `path`."""
    for folder in path.resolve().parents:
        status = folder.stat()
        shift = 6 if status.st_uid == user.uid else 3 if status.st_gid == user.gid else 0
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


def require_port(port: int, purpose: str, variable: str) -> None:
    """Raise LocalError when the port is taken: with its owner, if known, and the variable to change it."""
    if not is_port_free(port):
        raise port_taken(port, purpose, variable)


def port_taken(port: int, purpose: str, variable: str) -> LocalError:
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


def identify(pid: int) -> dict[str, Any] | None:
    """A pid with its start time, since pids are used again; None when there is no such process."""
    try:
        return {"pid": pid, "created": psutil.Process(pid).create_time()}
    except psutil.Error:
        return None


def open_lock(path: Path) -> int | None:
    """A descriptor that holds the lock on `path`, or None when another process does."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError as error:
        owner = path.parent.owner() if path.parent.exists() else "another user"
        raise LocalError(
            f"{path} cannot be written: {path.parent} belongs to {owner}. Run as {owner}, or remove it."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def read_lock(path: Path) -> dict[str, Any]:
    """What the holder of the lock wrote into the file; empty when that cannot be read."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _is_owned(holder: dict[str, Any]) -> bool:
    """Whether the process that started the server and its supervisor are both alive."""
    owner = {"pid": holder.get("pid"), "created": holder.get("created")}
    if identify(holder.get("pid", 0)) != owner:
        return False
    try:
        return bool(psutil.Process(holder["supervisor_pid"]).status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, KeyError):
        return False


def _signal_server(path: Path, holder: dict[str, Any], number: int) -> None:
    """Signal the first process of the server that holds a lock, if it still is that process."""
    with contextlib.suppress(psutil.Error, OSError, KeyError):
        server = psutil.Process(holder["server_pid"])
        # It wrote into the lock just after it began; a pid that was given away since is younger.
        if server.create_time() < path.stat().st_mtime + CLOCK_SECONDS:
            server.send_signal(number)


def take_server_lock(path: Path, name: str) -> int:
    """The lock on a server's data. Waits for a server whose owner was killed, and ends it after a while.

    Raises LocalError when the owner is alive, or a process that is not known keeps the lock.
    """
    started = time.monotonic()
    patience = LOCK_PATIENCE_SECONDS
    told = False
    stronger = [signal.SIGQUIT, signal.SIGKILL]  # see supervise.stop()
    while True:
        descriptor = open_lock(path)
        if descriptor is not None:
            return descriptor
        holder = read_lock(path)
        if _is_owned(holder):
            raise LocalError(f"{name} in {path.parent} is in use by process {holder['pid']}.")
        waited = time.monotonic() - started
        if waited > 1 and not told:
            print(f"  waiting for {name} of an earlier run to stop", file=sys.stderr)
            told = True
        if waited > patience:
            if not stronger:
                raise LocalError(
                    f"A process of an earlier run still uses {path}; find it with `lsof {path}` and end it."
                )
            _signal_server(path, holder, stronger.pop(0))
            patience += LOCK_PATIENCE_SECONDS
        time.sleep(0.02)


class ManagedProcess:
    """A server process under supervise.py. It ends with its owner, even if that is killed.

    `leftovers` are files that it makes outside its data folder and does not remove.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        lock: Path | None = None,
        environ: Mapping[str, str] | None = None,
        user: User | None = None,
        keep_path_access: bool = False,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_seconds: float = 10.0,
        leftovers: Sequence[Path] = (),
    ) -> None:
        self.name = name
        self.log = log
        self.pid = 0
        self._command = [str(part) for part in command]
        self._lock = lock
        self._environ = environ
        self._user = user
        self._keep_path_access = keep_path_access
        self._stop_signal = stop_signal
        self._stop_seconds = stop_seconds
        self._leftovers = [str(path) for path in leftovers]
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        lock_fd = take_server_lock(self._lock, self.name) if self._lock else None
        spec = {
            "command": self._command,
            "uid": self._user.uid if self._user else None,
            "gid": self._user.gid if self._user else None,
            "keep_path_access": self._keep_path_access,
            "stop_signal": int(self._stop_signal),
            "stop_seconds": self._stop_seconds,
            "lock_fd": lock_fd,
            "leftovers": self._leftovers,
            "owner": identify(os.getpid()),
        }
        too_long = self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES
        with self.log.open("wb" if too_long else "ab") as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", str(SUPERVISE), json.dumps(spec)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environ,
                cwd="/",
                pass_fds=() if lock_fd is None else (lock_fd,),
                start_new_session=True,  # Ctrl-C is for the owner alone, which stops things in order
            )
        if lock_fd is not None:
            os.close(lock_fd)
        assert self._supervisor.stdout is not None
        with self._supervisor.stdout as answer:
            self.pid = int(answer.readline() or 0)

    def poll(self) -> int | None:
        """None while it runs, else the exit code (128 + signal when one ended it)."""
        return self._supervisor.poll() if self._supervisor else 0

    def wait(self) -> int:
        """Wait for a server that ends by itself, such as initdb."""
        assert self._supervisor is not None
        assert self._supervisor.stdin is not None
        code = self._supervisor.wait()
        self._supervisor.stdin.close()
        return code

    def stop(self) -> None:
        """Ask it to end, wait, and kill it if it does not. May be called twice."""
        if self._supervisor and self._supervisor.stdin and not self._supervisor.stdin.closed:
            self._supervisor.stdin.close()
            self._supervisor.wait()

    def kill(self) -> None:
        """kill -9, for tests of what survives."""
        if self.pid and self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.stop()

    def last_log_lines(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(f"    {line}" for line in lines[-SHOWN_LOG_LINES:])
