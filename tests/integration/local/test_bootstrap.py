"""Building .venv, and the messages when that fails."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.waiting import wait_until
from tests.support.wheels import make_wheel


def start(folder: Path, requirements: str) -> subprocess.Popen[str]:
    """Start building folder/venv, without a network."""
    (folder / "requirements.txt").write_text(requirements)
    command = [sys.executable, str(ROOT / "local/bootstrap.py"), "venv", "stamp", "requirements.txt"]
    unreachable = {"PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "0", "PIP_FIND_LINKS": str(folder)}
    personal = {"PIP_USER": "1"}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | unreachable | personal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for the process; returns its exit code, standard output and standard error."""
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def test_environment_is_made_and_what_cannot_be_installed_is_told_by_pip(tmp_path: Path) -> None:
    broken = tmp_path / "venv" / "bin" / "python"
    broken.parent.mkdir(parents=True)
    broken.symlink_to("a Python that an upgrade took away")

    code, _, errors = finish(start(tmp_path, f"a-package-that-is-not-there==1.0 --hash=sha256:{'0' * 64}\n"))
    assert code == 1
    assert "No matching distribution found for a-package-that-is-not-there" in errors
    assert not (tmp_path / "stamp").exists()

    code, output, errors = finish(start(tmp_path, "# nothing\n"))
    assert code == 0, errors
    assert "Creating" not in output, "the environment works already"
    assert (tmp_path / "stamp").exists()
    subprocess.run([broken, "-m", "pip", "--version"], check=True, stdout=subprocess.DEVNULL)


def test_what_the_lock_has_no_hash_for_is_refused(tmp_path: Path) -> None:
    make_wheel(tmp_path, "stranger")
    code, _, errors = finish(start(tmp_path, "stranger==1.0\n"))
    assert code == 1
    assert "Hashes are required" in errors
    assert not (tmp_path / "stamp").exists()


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_second_command_waits_for_the_first(tmp_path: Path, is_killed: bool) -> None:
    first = start(tmp_path, "# nothing\n")
    wait_until(lambda: (tmp_path / "venv").exists())
    second = start(tmp_path, "# nothing\n")
    assert second.stdout
    assert second.stdout.readline() == (
        f"Waiting for process {first.pid}, which is preparing the same environment\n"
    )
    if is_killed:
        os.killpg(first.pid, signal.SIGKILL)
    assert finish(first)[0] == (-signal.SIGKILL if is_killed else 0)

    code, output, errors = finish(second)
    assert code == 0, errors
    assert ("Installing" in output) == is_killed
    python = tmp_path / "venv/bin/python"
    subprocess.run([python, "-m", "pip", "--version"], check=True, stdout=subprocess.DEVNULL)
