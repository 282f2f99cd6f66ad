"""docs/backup.md: a copy of the data folder of a stopped run is a backup."""

import shutil
import subprocess
from pathlib import Path

from tests import ROOT
from tests.e2e.client import Api
from tests.integration.run import Run, run_local
from tests.support.events import API_KEY
from tests.support.http_client import fetch
from tests.support.pictures import jpeg


def test_a_copy_of_a_stopped_runs_folder_brings_images_back(tmp_path: Path) -> None:
    def start() -> tuple[Run, Api]:
        run = Run(data, ROOT / "template.yaml", {"API_KEY": API_KEY, "WORKERS_PER_FUNCTION": "1"})
        return run, Api(run.info["base_url"], API_KEY)

    data, copy, picture = tmp_path / "data", tmp_path / "backup.tgz", jpeg()
    run, api = start()
    image_id = api.upload(picture).image["id"]
    assert run.stop() == 0
    subprocess.run(["tar", "-czf", copy, "-C", tmp_path, data.name], check=True)

    shutil.rmtree(data)
    subprocess.run(["tar", "-xzf", copy, "-C", tmp_path], check=True)
    run, api = start()
    try:
        original = api.get(f"/api/images/{image_id}").body["data"]["urls"]["original"]
        assert fetch("GET", fetch("GET", original).headers["location"]).data == picture
        verified = run_local("verify", "--data-dir", data)
        assert (verified.returncode, "Every row has its file" in verified.stdout) == (0, True)
    finally:
        run.stop()
