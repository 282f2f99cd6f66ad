"""layers/shared/Makefile, which `sam build` runs for the layers."""

import os
import shutil
import subprocess
from pathlib import Path

from tests import ROOT
from tests.support.wheels import make_wheel


def test_what_the_lock_has_no_hash_for_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "layer"
    shutil.copytree(ROOT / "layers/shared", source)
    make_wheel(tmp_path, "stranger")
    (source / "requirements.txt").write_text("stranger==1.0\n")
    done = subprocess.run(
        ["make", "--makefile=arm64/Makefile", "build-SharedLayer"],
        cwd=source,
        env=os.environ
        | {"ARTIFACTS_DIR": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert "Hashes are required" in done.stderr
