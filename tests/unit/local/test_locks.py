"""Locks: they show that a run and its servers are alive."""

import os
import threading
from pathlib import Path

from local.servers.locks import is_locked, take_lock


def test_lock_is_held_once_and_a_stale_file_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    path.write_text("left by a process that is gone")
    assert not is_locked(path)
    first = take_lock(path)
    assert first is not None
    assert is_locked(path)
    assert take_lock(path) is None
    os.close(first)
    assert not is_locked(path)
    second = take_lock(path)
    assert second is not None
    os.close(second)


def test_lock_is_waited_for(tmp_path: Path) -> None:
    first = take_lock(tmp_path / "lock")
    assert first is not None
    timer = threading.Timer(0.2, os.close, (first,))
    timer.start()
    second = take_lock(tmp_path / "lock", 20)
    assert second is not None
    os.close(second)
