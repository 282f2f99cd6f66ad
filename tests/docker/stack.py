"""Runs Docker, compose and SAM for these tests."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests import ROOT
from tests.e2e.client import Api
from tests.support.http_client import Answer, fetch

PROJECT = "image-api-test"
CONTAINERS = ("image_api_postgres", "image_api_schema", "image_api_minio", "image_api")
NETWORK = "image_api_network"
STORE_PORTS = (5432, 9000, 9001)
API_PORT = 8000
API = Api(f"http://127.0.0.1:{API_PORT}", "your-api-key-here")


@lru_cache(maxsize=1)
def clean_env() -> dict[str, str]:
    """This process's environment without the project's settings, which compose would read."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    names = {line.partition("=")[0] for line in lines if "=" in line and not line.startswith("#")}
    compose_file = (ROOT / "docker-compose.yml").read_text()
    names |= {"DB_PORT", "DB_SSLMODE", *re.findall(r"\$\{(\w+):", compose_file)}
    env = {name: value for name, value in os.environ.items() if name not in names}
    # The classic builder uses a local base image without a request to a registry.
    env.setdefault("DOCKER_BUILDKIT", "0")
    return env | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}


def run(*command: str, timeout: float = 120, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder. On failure, the error contains its output."""
    done = subprocess.run(
        command, cwd=ROOT, env=clean_env(), text=True, capture_output=True, timeout=timeout, check=False
    )
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


@lru_cache(maxsize=1)
def compose_command() -> tuple[str, ...]:
    plugin = run("docker", "compose", "version", check=False).returncode == 0
    return ("docker", "compose") if plugin else ("docker-compose",)


def compose(*arguments: str, timeout: float = 180, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run compose as PROJECT, with its own volumes and without the developer's .env.

    Without ``-f``, ``down --volumes`` would leave volumes that a restore created without compose.
    """
    files = ("-f", "docker-compose.yml", "--env-file", os.devnull)
    command = (*compose_command(), "-p", PROJECT, *files, *arguments)
    return run(*command, timeout=timeout, check=check)


def find_sam_containers() -> list[str]:
    """Ids of the function containers that ``sam local`` started on the stack's network."""
    filters = ("--filter", f"network={NETWORK}", "--filter", "label=sam.cli.container.type=lambda")
    return run("docker", "ps", "--all", "--quiet", *filters).stdout.split()


def remove_stack() -> None:
    """Remove only the containers, network and volumes of PROJECT."""
    label = f"label=com.docker.compose.project={PROJECT}"
    ours = run("docker", "network", "ls", "--quiet", "--filter", label).stdout
    if ours and (left := find_sam_containers()):
        run("docker", "rm", "--force", *left)
    compose("--profile", "api", "down", "--volumes", "--timeout", "5")


def inspect(container: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(run("docker", "inspect", container).stdout)[0]
    return facts


def find_conflicts() -> list[str]:
    """Conflicts with the stack: containers, a network or listeners that these tests did not start."""
    found = []
    for kind, names in (("container", CONTAINERS), ("network", (NETWORK,))):
        for name in names:
            done = run("docker", kind, "inspect", name, check=False)
            if done.returncode:
                continue
            thing = json.loads(done.stdout)[0]
            labels = thing["Config"]["Labels"] if kind == "container" else thing["Labels"]
            owner = labels.get("com.docker.compose.project", "none")
            found.append(f"{kind} {name} (compose project {owner})")
    return found + [f"port {port}" for port in (*STORE_PORTS, API_PORT) if not is_free(port)]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_for_status(path: str, status: int, *, seconds: float) -> Answer:
    """Poll until the API responds with a status. If it does not, fail with the last response."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = fetch("GET", API.base_url + path, {"X-API-Key": API.key})
            if last.status == status:
                return last
        except (OSError, http.client.HTTPException) as error:
            last = error
        time.sleep(0.3)
    raise AssertionError(f"GET {path} did not answer {status} within {seconds:.0f} s; at last: {last}")


def sam_command() -> str:
    """The ``sam`` next to this Python, else the one on PATH."""
    beside = Path(sys.executable).with_name("sam")
    found = str(beside) if beside.exists() else shutil.which("sam")
    assert found, "No `sam` here: install requirements-dev.txt."
    return found


@contextmanager
def sam_local_api(log: Path) -> Iterator[None]:
    """Run ``sam local start-api`` in the background. SIGINT ends it, like Ctrl-C in a terminal."""
    command = [sam_command(), "local", "start-api", "--skip-pull-image"]
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Shells ignore SIGINT in background jobs, and SAM would inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=clean_env(), stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 60
        while is_free(API_PORT):
            given_up = process.poll() is not None or time.monotonic() > deadline
            assert not given_up, f"No API:\n{log.read_text()}"
            time.sleep(0.2)
        yield
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def run_e2e_suite(*options: str) -> str:
    """Run tests/e2e against BASE_URL in a process; returns its summary, or raises with its output."""
    env = clean_env() | {"BASE_URL": API.base_url, "API_KEY": API.key}
    command = [sys.executable, "-m", "pytest", "tests/e2e", "-q", "-p", "no:cacheprovider", "--color=no"]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, env=env, text=True, capture_output=True, timeout=600, check=False
    )
    output = f"{done.stdout[-8000:]}{done.stderr[-2000:]}"
    assert done.returncode == 0, f"tests/e2e ended with {done.returncode}:\n{output}"
    return done.stdout.strip().splitlines()[-1]
