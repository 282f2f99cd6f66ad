"""The user that the servers run as."""

import os
import pwd
from pathlib import Path

import pytest

from local.servers.users import can_reach, server_user


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
