"""The containers of docker-compose.yml."""

import subprocess

STORES = ("image_api_postgres", "image_api_minio")
CONTAINERS = (*STORES, "image_api")
SECONDS = 20

STORE_ADDRESSES = {
    "DB_HOST": "127.0.0.1",
    "DB_PORT": "5432",
    "DB_SSLMODE": "disable",
    "MINIO_ENDPOINT_URL": "http://127.0.0.1:9000",
}
"""The addresses that docker-compose.yml publishes, as variables."""


def are_stores_running() -> bool:
    """Whether both stores run on this machine."""
    states = run_docker("inspect", "--type", "container", "--format", "{{.State.Running}}", *STORES).split()
    return states == ["true"] * len(STORES)


def run_docker(*arguments: str) -> str:
    """The output of a docker command, even if it fails partway; empty if docker does not respond."""
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
