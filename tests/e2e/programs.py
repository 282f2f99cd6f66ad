"""The code of the documents, run as programs beside the service."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = {
    "bash": (["bash", "-euo", "pipefail"], "page.sh"),
    "python": ([sys.executable], "page.py"),
    "javascript": (["node"], "page.mjs"),
}
"""For each language, the command and the name of the file."""


def run_code(language: str, code: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the code in the folder, which receives it as a file."""
    command, name = PROGRAMS[language]
    if not shutil.which(command[0]):
        pytest.fail(
            f"{command[0]} is needed to run the examples in {language}: install it (Node 20 or later)."
        )
    (folder / name).write_text(code, encoding="utf-8")
    environment = os.environ | variables
    return subprocess.run(
        [*command, name], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
