"""Runs the output of `sam build` as Lambda does, in fresh processes of Lambda's Python version."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks import ROOT
from benchmarks.figures import BenchmarkError

PYTHON_VERSION = "3.13"
SOURCES = ROOT / "layers" / "shared" / "imageapi"


@dataclass(frozen=True)
class Build:
    """The folder .aws-sam/build."""

    folder: Path

    @property
    def layer(self) -> Path:
        return self.folder / "SharedLayer" / "python"

    def task(self, function: str) -> Path:
        return self.folder / function

    @cached_property
    def python(self) -> str:
        """A Python of Lambda's version. It is tried first, because pyenv leaves shims that fail."""
        candidates = (f"python{PYTHON_VERSION}", f"/usr/bin/python{PYTHON_VERSION}", sys.executable)
        for candidate in filter(None, map(shutil.which, candidates)):
            code = "import sys; print(sys.executable, '%d.%d' % sys.version_info[:2])"
            answer = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
            executable, _, version = answer.stdout.strip().rpartition(" ")
            if answer.returncode == 0 and version == PYTHON_VERSION:
                return executable
        raise BenchmarkError(
            f"there is no working python{PYTHON_VERSION} on PATH, which the functions run on: install it."
        )

    def check(self) -> None:
        """Raise BenchmarkError if the build is missing or older than the sources."""
        if not self.layer.is_dir():
            raise BenchmarkError(f"there is no build in {self.folder}: run `sam build` first.")
        for source in SOURCES.rglob("*.py"):
            built = self.layer / "imageapi" / source.relative_to(SOURCES)
            if not built.exists() or built.read_bytes() != source.read_bytes():
                raise BenchmarkError(
                    f"the build in {self.folder} is older than {source}: run `sam build` again."
                )

    def run(self, script: Path, *arguments: str | Path, environ: Mapping[str, str]) -> Any:
        """Run a script in a fresh process that writes no bytecode; returns the JSON on its last line."""
        # -S and -I: ignore this machine's packages, settings and .pth files.
        command = [self.python, "-I", "-S", "-B", str(script), *map(str, arguments)]
        answer = subprocess.run(command, capture_output=True, text=True, env=dict(environ), check=False)
        if answer.returncode != 0:
            problem = (answer.stderr.strip() or f"exit status {answer.returncode}").splitlines()[-1]
            raise BenchmarkError(f"{script.name} {' '.join(map(str, arguments))} failed: {problem}")
        return json.loads(answer.stdout.splitlines()[-1])
