"""``make destroy`` with programs that only note that they were called."""

import os
import subprocess
from pathlib import Path

import pytest

from tests import ROOT


def destroy(folder: Path, answer: str) -> tuple[int, bool]:
    """Its status, and whether SAM was asked to delete the stack. ``answer`` is the script of ``aws``."""
    programs = folder / "bin"
    programs.mkdir()
    note = f'if [ "$2 $3" = "samcli delete" ]; then touch {folder}/deleted; fi'
    scripts = {"python": note, "aws": answer}
    for name, text in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    (folder / "run.stamp").touch()
    command = ["make", "destroy", "ENV=prod", f"VENV={folder}"]
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True)
    return done.returncode, (folder / "deleted").exists()


@pytest.mark.parametrize(
    "answer", ["echo true", "exit 254", "echo false"], ids=["protected", "unknown", "other"]
)
def test_a_database_that_may_be_protected_keeps_its_stack(tmp_path: Path, answer: str) -> None:
    """CloudFormation deletes the database last: it would refuse after everything else is gone."""
    status, is_deleted = destroy(tmp_path, answer)
    assert is_deleted == (status == 0) == (answer == "echo false")
