"""Building .venv, and the messages when that fails."""

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.run import ROOT


def build(folder: Path, requirements: str) -> subprocess.CompletedProcess[str]:
    """Build folder/venv, without a network."""
    (folder / "requirements.txt").write_text(requirements)
    command = [sys.executable, str(ROOT / "local/bootstrap.py"), "venv", "requirements.txt", "stamp"]
    unreachable = {"PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "0"}
    return subprocess.run(
        command, cwd=folder, env=os.environ | unreachable, capture_output=True, text=True, timeout=120
    )


def test_environment_is_made_and_what_cannot_be_installed_is_told_by_pip(tmp_path: Path) -> None:
    broken = tmp_path / "venv" / "bin" / "python"
    broken.parent.mkdir(parents=True)
    broken.symlink_to("a Python that an upgrade took away")

    failed = build(tmp_path, "a-package-that-is-not-there\n")
    assert failed.returncode == 1
    assert "No matching distribution found for a-package-that-is-not-there" in failed.stderr
    assert not (tmp_path / "stamp").exists()

    made = build(tmp_path, "# nothing\n")
    assert made.returncode == 0, made.stderr
    assert "Making" not in made.stdout, "the environment works already"
    assert (tmp_path / "stamp").exists()
    subprocess.run([broken, "-m", "pip", "--version"], check=True, stdout=subprocess.DEVNULL)
