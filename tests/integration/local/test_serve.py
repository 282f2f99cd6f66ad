"""`python -m local.serve` in front of stores that it did not start, as in docker-compose.yml."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import ROOT
from tests.e2e.client import Api
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.events import API_KEY
from tests.support.settings import OPTIONAL
from tests.support.waiting import wait_until

ADDRESS = re.compile(r"The API is running at (http://127\.0\.0\.1:\d+)")


@contextmanager
def serving(stores: Stores, log: Path, **variables: str) -> Iterator[Api]:
    """The API on a free port. At the end, SIGTERM must stop it with exit code 0."""
    environ = {**os.environ, **dict.fromkeys(OPTIONAL, ""), **stores.environment, **variables}
    command = [sys.executable, "-m", "local.serve", "--port", "0"]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output) as process,
    ):
        try:
            wait_until(lambda: ADDRESS.search(log.read_text()) or process.poll() is not None, 60)
            found = ADDRESS.search(log.read_text())
            assert found, log.read_text()
            yield Api(found[1], API_KEY)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_it_serves_the_stores_that_the_environment_names(stores: Stores, tmp_path: Path) -> None:
    with serving(stores, tmp_path / "log") as api:
        health = api.request("GET", "/health")
        assert (health.status, health.body["status"]) == (200, "healthy")
        image = api.upload(pictures.png()).image
        listed = api.request("GET", "/api/images").body["images"]
    assert [found["id"] for found in listed] == [image["id"]]
    assert [str(row["id"]) for row in stores.rows()] == [image["id"]]
    assert stores.keys() == [image["s3_key"]]


def test_an_empty_key_is_told_and_not_looked_for_in_secrets_manager(stores: Stores, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(stores, log, SECRET_KEY="") as api:
        answer = api.request("GET", f"/images/{'0' * 8}-0000-7000-8000-{'0' * 12}/original?e=1&s=x")
    assert (answer.status, answer.code) == (503, "service_misconfigured"), log.read_text()
