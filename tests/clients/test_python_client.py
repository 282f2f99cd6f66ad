"""A client by openapi-python-client: passes mypy --strict, and decodes all that it gets."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from imageapi.http.operations import DOCUMENT

from tests.e2e.client import Api
from tests.support.pictures import jpeg

PROGRAM = Path(__file__).with_name("use_python_client.py")
CONFIG = "post_hooks: []\n"  # no formatter


def test_python_client(api: Api, later_service: str, tmp_path: Path) -> None:
    def run(*command: object) -> None:
        environment = os.environ | {"PYTHONPATH": str(tmp_path)}
        subprocess.run([sys.executable, "-m", *map(str, command)], cwd=tmp_path, env=environment, check=True)

    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "picture.jpg").write_bytes(jpeg(seed="client"))
    shutil.copy(PROGRAM, tmp_path)
    options = "--output-path image_client --meta none --fail-on-warning --config config.yaml"
    run("openapi_python_client", "generate", "--path", DOCUMENT, *options.split())
    run("mypy", "--strict", PROGRAM.name)
    run("use_python_client", api.base_url, later_service, api.key, "picture.jpg")
