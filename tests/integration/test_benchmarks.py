import re
import subprocess
import sys

from tests import ROOT


def test_pages_of_the_list_can_be_measured() -> None:
    command = [sys.executable, "-m", "benchmarks.scale", "--rows", "200"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"x SELECT 1$", done.stdout, re.MULTILINE)) >= 20
