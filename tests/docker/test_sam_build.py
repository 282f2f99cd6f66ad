"""`sam build --use-container`: for machines without Python 3.13."""

import importlib.metadata
from pathlib import Path

import pytest

from tests import ROOT
from tests.docker import stack

IMAGE = "public.ecr.aws/sam/build-python3.13:latest-x86_64"
STAND_IN = Path(__file__).with_name("build_image")


@pytest.fixture(scope="module")
def build_image() -> None:
    """Provide SAM's build image: the local one, else from its registry, else a stand-in built here."""
    if stack.run("docker", "image", "inspect", IMAGE, check=False).returncode == 0:
        return
    if stack.run("docker", "pull", "--quiet", IMAGE, check=False, timeout=600).returncode == 0:
        return
    version = importlib.metadata.version("aws-lambda-builders")
    argument = f"LAMBDA_BUILDERS={version}"
    stack.run(
        *("docker", "build", "--tag", IMAGE, "--network", "host", "--build-arg", argument, str(STAND_IN)),
        timeout=600,
    )


@pytest.mark.usefixtures("build_image", "built")
def test_build_in_containers_gives_what_the_build_here_gives(tmp_path: Path) -> None:
    command = ("build", "--use-container", "--skip-pull-image", "--build-dir", str(tmp_path / "build"))
    stack.run(stack.sam_command(), *command, "--cache-dir", str(tmp_path / "cache"), timeout=600)

    made = list_files(tmp_path / "build")
    assert made == list_files(ROOT / ".aws-sam" / "build")
    assert Path("MigrateFunction/init_db.sql") in made


def list_files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
