"""The profile `api`: `docker compose --profile api up --build -d`."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import ROOT
from tests.docker import images, stack
from tests.support.documents import blocks
from tests.support.http_client import fetch


@pytest.fixture(scope="module", autouse=True)
def api(stores: None) -> Iterator[None]:
    stack.compose("--profile", "api", "up", "--build", "--detach", "--wait", timeout=400)
    yield
    stack.compose("--profile", "api", "rm", "--stop", "--force", "api")


def test_container_is_confined() -> None:
    facts = stack.inspect("image_api")
    user = stack.run("docker", "exec", "image_api", "id", "-u").stdout.strip()

    assert facts["State"]["Health"]["Status"] == "healthy"
    assert user != "0"
    assert facts["HostConfig"]["Memory"] == 512 * 1024 * 1024
    assert facts["HostConfig"]["ReadonlyRootfs"]
    assert facts["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def test_image_holds_nothing_but_what_the_api_needs() -> None:
    listed = stack.run("docker", "exec", "image_api", "ls", "-A", "/app").stdout.split()

    assert not {".env", ".git", "tests", ".aws-sam", ".data"} & set(listed)
    # If the base image is built from Debian's packages, Debian and Python take 250 MB.
    size = stack.run("docker", "image", "inspect", "--format", "{{.Size}}", "image-api").stdout
    assert int(size) < 700_000_000


def test_end_to_end_suite_passes_within_the_memory_limit() -> None:
    print(stack.run_e2e_suite())

    state = stack.inspect("image_api")
    assert not state["State"]["OOMKilled"]
    assert state["RestartCount"] == 0


def test_health_says_503_while_postgres_is_stopped() -> None:
    stack.compose("stop", "postgres")
    try:
        down = stack.wait_for_status("/health", 503, seconds=30)
    finally:
        stack.compose("start", "postgres")

    assert down.body["status"] != "healthy"
    assert stack.wait_for_status("/health", 200, seconds=60).body["status"] == "healthy"


def test_api_survives_a_restart_of_postgres() -> None:
    stack.compose("restart", "postgres")

    assert stack.wait_for_status("/api/images", 200, seconds=60).body["images"] is not None


@pytest.mark.parametrize("section", ["Docker Compose", "Docker Compose: without a stop"])
def test_images_are_back_after_a_backup_and_a_restore(section: str, tmp_path: Path) -> None:
    """With the commands of docs/backup.md. Before the restore, the volumes are gone."""
    picture = images.make_jpeg(seed=2)
    stored = images.upload(picture)
    assert fetch("GET", stored["urls"]["thumbnail"]).status == 302
    key = stack.API.send("POST", "/api/keys", {"name": "shop", "scopes": ["images:read"]}).body["data"]["key"]

    for block in blocks("docs/backup.md"):
        if block.heading == section:
            stack.run("bash", "-euc", rewrite(block.code, tmp_path), timeout=300)
    stack.compose("--profile", "api", "up", "--detach", "--wait")

    listed = stack.API.get("/api/images").body["images"]
    found = next(image for image in listed if image["id"] == stored["id"])
    assert images.download_original(found, timeout=30) == picture
    link = fetch("GET", found["urls"]["thumbnail"])
    assert fetch("GET", link.headers["location"]).status == 200
    as_client = stack.API.get("/api/images", key=key)
    assert as_client.status == (200 if section == "Docker Compose" else 403)


def rewrite(commands: str, folder: Path) -> str:
    """The commands for the tests' stack and this folder, with Python for `make verify` and the AWS CLI."""
    python = f"PYTHONPATH={ROOT} {sys.executable} -m"
    for old, new in {
        "image-api_": f"{stack.PROJECT}_",
        "$PWD": str(folder),
        " backup": f" {folder}",
        "=backup": f"={folder}",
        "make verify RESTORE=1": f"{python} local verify --restore",
        "aws --endpoint-url http://127.0.0.1:9000 s3 sync": f"{python} tests.docker.sync",
    }.items():
        commands = commands.replace(old, new)
    settings = "set -a; . ./.env.example; set +a"  # not the developer's .env
    return (
        f"{settings}\nexport COMPOSE_PROJECT_NAME={stack.PROJECT} COMPOSE_ENV_FILES={os.devnull}\n{commands}"
    )
