"""run.json after a server's pid has changed, after its run was killed, and on a full disk."""

import os
from pathlib import Path
from typing import Any

import pytest

from local.run_info import RUN_FILE, RUN_LOCK, find_run_info, write_run_info
from local.runner import Runner, hold_folder
from local.settings import make_settings

BEFORE: Any = {"pid": 1, "base_url": "http://127.0.0.1:1", "s3": {"pid": 2}, "database": {"pid": 3}}
AFTER = BEFORE | {"s3": {"pid": 4}}


def test_info_that_a_restart_changed_is_written_again_even_after_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    runner = Runner(make_settings({}, data_dir=tmp_path))
    assert runner._update_run_info(BEFORE, BEFORE) == BEFORE
    assert not (tmp_path / RUN_FILE).exists()
    write_run_info([tmp_path / RUN_FILE], BEFORE)
    with monkeypatch.context() as patch:
        patch.setattr("json.dump", fail)
        assert runner._update_run_info(BEFORE, AFTER) == BEFORE
    assert [path.name for path in tmp_path.iterdir()] == [RUN_FILE]
    with hold_folder(tmp_path):
        assert find_run_info(tmp_path) == BEFORE
        assert runner._update_run_info(BEFORE, AFTER) == AFTER
        assert find_run_info(tmp_path) == AFTER


def test_info_of_a_killed_run_does_not_count_even_if_its_pid_is_in_use(tmp_path: Path) -> None:
    write_run_info([tmp_path / RUN_FILE], BEFORE | {"pid": os.getpid()})
    assert find_run_info(tmp_path) is None
    (tmp_path / RUN_LOCK).touch()
    assert find_run_info(tmp_path) is None
