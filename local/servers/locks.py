"""File locks: they show that a run or server is alive, and reserve its data for it."""

import contextlib
import fcntl
import os
import sys
import time
from pathlib import Path

from local.errors import LocalError

STOPPING_SECONDS = 40.0
"""Longer than end_with_owner.py waits for a server to stop."""


def take_lock(path: Path, seconds: float = 0.0) -> int | None:
    """A descriptor that holds the lock on `path`, or None if it is not free within `seconds`.

    Unlike a pid file, a lock stays correct after a crash or when a pid is reused.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError as error:
        owner = path.parent.owner()
        raise LocalError(
            f"Cannot write {path}: {path.parent} belongs to {owner}. Run as {owner}, or delete the folder."
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
    """Acquire the lock on a server's data. If the owner was killed, wait until end_with_owner.py stops it."""
    lock = take_lock(path, 1)
    if lock is None:
        print(f"  Waiting until {name} of an earlier run stops", file=sys.stderr)
        lock = take_lock(path, STOPPING_SECONDS)
    if lock is None:
        raise LocalError(
            f"A process of an earlier run still uses {path}; find it with `lsof {path}` and stop it."
        )
    return lock
