"""docker-compose.yml's stack under its real names, with separate volumes. The tests take minutes."""

from collections.abc import Iterator

import pytest

from tests.docker import stack


@pytest.fixture(scope="session")
def stores() -> Iterator[None]:
    """Postgres with the schema and MinIO with the bucket, after ``docker compose up -d --wait``."""
    if stack.run("docker", "version", check=False).returncode:
        pytest.fail("No Docker engine answers. Start Docker and run this again.", pytrace=False)
    stack.remove_stack()
    conflicts = stack.find_conflicts()
    if conflicts:
        pytest.fail(
            f"In the way of the tests' stack: {', '.join(conflicts)}. If it is a stack of your own, "
            "`docker compose --profile api down` stops it and keeps its data.",
            pytrace=False,
        )
    try:
        stack.compose("up", "-d", "--wait")
        yield
    finally:
        stack.remove_stack()


@pytest.fixture(scope="session")
def built() -> None:
    """``sam build``, without flags."""
    done = stack.run(stack.sam_command(), "build", timeout=300)
    assert "Build Succeeded" in done.stdout + done.stderr
