"""The monitor's queries of the machine, docker and the services. Each is cheap or has a time limit."""

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import psycopg2.extras
import urllib3

from local.docker import CONTAINERS, run_docker

WORKER = "worker_main.py"
UNITS = ("B", "KiB", "MiB", "GiB")
SECONDS = 3
SQL = """
    SELECT (SELECT count(*) FROM image_metadata) AS images,
           (SELECT count(*) FROM uploads WHERE failure IS NULL) AS uploads,
           (SELECT coalesce(sum(size_bytes), 0)::bigint FROM image_metadata) AS original_bytes,
           (SELECT count(*) FROM image_variants WHERE status = 'ready' AND name <> 'intermediate.jpg')
               AS "Renders",
           (SELECT count(*) FROM uploads WHERE greatest(expires_at, lease_until) < now())
               + (SELECT count(*) FROM pending_removals WHERE lease_until < now()) AS "SweepFindings",
           pg_database_size(current_database()) AS database_bytes"""


def read_machine(folder: Path) -> dict[str, Any]:
    """CPU since the last call, memory, and the disk of a folder, which need not exist."""
    memory = psutil.virtual_memory()
    disk = psutil.disk_usage(str(next(path for path in (folder, *folder.parents) if path.exists())))
    return {
        "cpu_percent": psutil.cpu_percent(),
        "memory": {"used": memory.total - memory.available, "total": memory.total},
        "disk": {"used": disk.used, "total": disk.total},
    }


def read_processes(info: Mapping[str, Any], health: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One part for the runner, each store and each function. CPU is a percentage of one core since the last
    call.
    """
    attributes = ["cmdline", "cpu_percent", "memory_info", "status"]
    # psutil caches these objects with the start of the next CPU measurement.
    known = {process.pid: process for process in psutil.process_iter(attributes)}
    groups = {
        "runner": [info["pid"]],
        "postgres": find_family(info["database"]["pid"]),
        "s3": find_family(info["s3"]["pid"]),
    }
    for pid in find_family(info["pid"]):
        if pid in known and any(part.endswith(WORKER) for part in known[pid].info["cmdline"] or ()):
            with contextlib.suppress(psutil.Error, KeyError):  # it has just ended
                name = known[pid].environ()["AWS_LAMBDA_FUNCTION_NAME"]
                groups.setdefault(name, []).append(pid)
    checks = health.get("checks", {})
    answers = {
        "runner": "up" if health else "no answer",
        "postgres": judge(checks.get("database")),
        "s3": judge(checks.get("storage")),
    }
    parts = []
    for name, pids in groups.items():
        members = [known[pid].info for pid in pids if pid in known]
        state = members[0]["status"] if members else "gone"
        parts.append(
            {
                "name": name,
                "id": str(pids[0]),
                "state": "running" if state == psutil.STATUS_SLEEPING else state,
                "cpu_percent": round(sum(member["cpu_percent"] or 0 for member in members), 1),
                "memory": sum(member["memory_info"].rss for member in members if member["memory_info"]),
                "health": answers.get(name, f"{len(members)} workers" if members[1:] else "1 worker"),
            }
        )
    return parts


def find_family(pid: int) -> list[int]:
    """The pids of the process and all its descendants."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.Error:
        return [pid]


def judge(check: Mapping[str, Any] | None) -> str:
    """One check of /health as short text."""
    if check is None:
        return "unknown"
    return "up" if check["status"] == "up" else f"down ({check.get('error', '?')})"


def read_containers() -> list[dict[str, Any]]:
    """One entry for each existing container, with the state of its healthcheck."""
    inspected = json.loads(run_docker("inspect", "--type", "container", *CONTAINERS) or "[]")
    running = [found["Name"].lstrip("/") for found in inspected if found["State"]["Running"]]
    lines = run_docker("stats", "--no-stream", "--format", "json", *running).splitlines() if running else []
    loads = {load["Name"]: load for load in map(json.loads, lines)}
    parts = []
    for found in inspected:
        name, state = found["Name"].lstrip("/"), found["State"]
        load = loads.get(name, {"CPUPerc": "0%", "MemUsage": "0B"})
        parts.append(
            {
                "name": name,
                "id": found["Id"][:12],
                "state": state["Status"],
                "cpu_percent": float(load["CPUPerc"].rstrip("%-") or 0),
                "memory": parse_size(load["MemUsage"]),
                "health": state.get("Health", {}).get("Status", "no healthcheck")
                if state["Running"]
                else "-",
            }
        )
    return parts


def parse_size(text: str) -> int:
    """The first size in docker's "12.3MiB / 15GiB", in bytes; 0 for any other text."""
    match = re.match(rf"([0-9.]+)({'|'.join(UNITS)})", text)
    return round(float(match[1]) * 1024 ** UNITS.index(match[2])) if match else 0


def get_json(url: str, field: str) -> dict[str, Any]:
    """The JSON object that a URL returns; empty without a response with this field."""
    try:
        content = urllib3.request("GET", url, timeout=SECONDS, retries=False).json()
    except (urllib3.exceptions.HTTPError, ValueError):
        return {}
    return content if isinstance(content, dict) and field in content else {}


def read_database(database: Mapping[str, Any]) -> dict[str, Any]:
    """Rows by state and stored bytes; {"error": …} if the database does not respond in time."""
    try:
        with contextlib.closing(
            psycopg2.connect(
                **database,
                connect_timeout=SECONDS,
                options=f"-c statement_timeout={SECONDS}s",
                cursor_factory=psycopg2.extras.RealDictCursor,
            )
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(SQL)
            return dict(cursor.fetchone())
    except psycopg2.Error as error:
        return {"error": str(error).strip().partition("\n")[0]}
