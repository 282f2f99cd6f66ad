"""The containers of docker-compose.yml, as the docker command sees them."""

import json
import re
import subprocess
from collections.abc import Mapping
from typing import Any

from local.monitor.probes import Target
from local.settings import Settings

POSTGRES, MINIO, API = "image_api_postgres", "image_api_minio", "image_api"
NAMES = (POSTGRES, MINIO, API)
UNITS = {"": 1, "k": 1_000, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
COMMAND_SECONDS = 20


class Containers:
    """The containers of NAMES that exist, running or not."""

    def __init__(self, inspected: Mapping[str, Mapping[str, Any]], settings: Settings) -> None:
        self.target = make_target(inspected, settings)

    def read(self, _health: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A part for each container; its health is that of its own healthcheck."""
        inspected = inspect_containers()
        running = [name for name, found in inspected.items() if found["State"]["Running"]]
        stats = read_stats(running)
        return [describe(name, found, stats.get(name)) for name, found in inspected.items()]


def find_containers(settings: Settings) -> Containers | None:
    """None when there is no docker here, or none of the containers."""
    inspected = inspect_containers()
    return Containers(inspected, settings) if inspected else None


def inspect_containers() -> dict[str, dict[str, Any]]:
    """What `docker inspect` says of each existing container, by name."""
    text = run_docker("inspect", "--type", "container", *NAMES)
    found = {entry["Name"].lstrip("/"): entry for entry in json.loads(text or "[]")}
    return {name: found[name] for name in NAMES if name in found}


def read_stats(names: list[str]) -> dict[str, dict[str, Any]]:
    """What `docker stats` says of running containers, by name."""
    if not names:
        return {}
    lines = run_docker("stats", "--no-stream", "--format", "json", *names).splitlines()
    return {entry["Name"]: entry for entry in map(json.loads, lines)}


def run_docker(*arguments: str) -> str:
    """What a docker command prints, also when it fails half-way; empty when docker does not answer."""
    try:
        done = subprocess.run(
            ["docker", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=COMMAND_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def describe(name: str, found: Mapping[str, Any], stats: Mapping[str, Any] | None) -> dict[str, Any]:
    """One container as a part of the snapshot."""
    state = found["State"]
    return {
        "name": name,
        "id": found["Id"][:12],
        "state": state["Status"],
        "cpu_percent": float(stats["CPUPerc"].rstrip("%") or 0) if stats else 0.0,
        "memory": parse_size(stats["MemUsage"].partition("/")[0]) if stats else 0,
        "health": state.get("Health", {}).get("Status", "no healthcheck") if state["Running"] else "-",
    }


def parse_size(text: str) -> int:
    """Bytes of docker's "12.3MiB" or "4kB"; 0 for any other text."""
    match = re.fullmatch(r"([0-9.]+)\s*([kKMG]i?)?B", text.strip())
    return round(float(match[1]) * UNITS[(match[2] or "").lower()]) if match else 0


def make_target(inspected: Mapping[str, Mapping[str, Any]], settings: Settings) -> Target:
    """The services' addresses and keys, from the ports and variables of their containers."""
    postgres, minio = read_environment(inspected.get(POSTGRES)), read_environment(inspected.get(MINIO))
    api = read_environment(inspected.get(API))
    # Without its container the API may be that of `sam local start-api`.
    port = published_port(inspected.get(API), 8000, settings.port)
    s3_port = published_port(inspected.get(MINIO), 9000, settings.s3_port)
    return Target(
        base_url=f"http://127.0.0.1:{port}",
        database={
            "host": "127.0.0.1",
            "port": published_port(inspected.get(POSTGRES), 5432, settings.db_port),
            "user": postgres.get("POSTGRES_USER", "postgres"),
            "password": postgres.get("POSTGRES_PASSWORD", ""),
            "dbname": postgres.get("POSTGRES_DB", "imagedb"),
        },
        s3={
            "endpoint_url": f"http://127.0.0.1:{s3_port}",
            "access_key": minio.get("MINIO_ROOT_USER", ""),
            "secret_key": minio.get("MINIO_ROOT_PASSWORD", ""),
            "bucket": api.get("MINIO_BUCKET_NAME") or settings.value("MINIO_BUCKET_NAME", "images"),
        },
    )


def read_environment(found: Mapping[str, Any] | None) -> dict[str, str]:
    """A container's variables."""
    pairs = (line.partition("=") for line in (found or {}).get("Config", {}).get("Env") or [])
    return {name: value for name, _, value in pairs}


def published_port(found: Mapping[str, Any] | None, port: int, default: int) -> int:
    """The port of this machine that a container's port is published on."""
    ports = (found or {}).get("HostConfig", {}).get("PortBindings") or {}
    bindings = ports.get(f"{port}/tcp") or []
    return int(bindings[0]["HostPort"]) if bindings and bindings[0]["HostPort"] else default
