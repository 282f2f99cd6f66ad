"""The monitor's numbers and tables, without a running service."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local.errors import LocalError
from local.gateway.response_stats import Answer, Stats, summarize
from local.monitor.snapshot import Monitor
from local.monitor.view import draw
from local.run_info import RUN_FILE, write_run_info
from local.runner import hold_folder
from local.settings import make_settings

POSTGRES = {"name": "postgres", "id": "77", "state": "running", "cpu_percent": 1.5, "memory": 8_000_000}
S3 = {"name": "s3", "id": "78", "state": "gone", "cpu_percent": 0.0, "memory": 0}
SHOT: dict[str, Any] = {
    "at": "2026-01-02T03:04:05+0000",
    "mode": "run",
    "machine": {"cpu_percent": 12.0, "memory": {"used": 5, "total": 10}, "disk": {"used": 95, "total": 100}},
    "parts": [POSTGRES | {"health": "up"}, S3 | {"health": "down (timeout)"}],
    "api": {
        "base_url": "http://127.0.0.1:8000",
        "health": {"status": "unhealthy"},
        "stats": summarize([Answer(0, "ListFunction", 200, 4.2), Answer(1, "ListFunction", 503, 99)], 60),
    },
    "database": dict.fromkeys(("uploads", "Renders", "SweepFindings"), 1)
    | {"images": 1200, "original_bytes": 5_000_000, "database_bytes": 9_000_000},
}


def draw_text(shot: dict[str, Any], width: int = 110) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(draw(shot))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def figures(requests: dict[str, int], per_minute: float, errors: int, p50: Any, p95: Any) -> dict[str, Any]:
    latency = {"p50": p50, "p95": p95}
    return {"Requests": requests, "requests_per_minute": per_minute, "errors": errors, "Latency": latency}


def test_rates_and_latencies() -> None:
    answers = [Answer(n, "ListFunction", 200, float(n)) for n in range(1, 101)]
    answers += [Answer(0, "UploadFunction", 413, 5), Answer(0, "UploadFunction", 502, 7)]

    found = summarize(answers, 30)

    assert found["functions"] == {
        "ListFunction": figures({"2xx": 100}, 200.0, 0, 50, 95),
        "UploadFunction": figures({"4xx": 1, "5xx": 1}, 4.0, 1, 5, 7),
    }
    assert found["all"]["requests_per_minute"] == 204.0
    assert summarize([], 60)["all"] == figures({}, 0, 0, None, None)


def test_old_answers_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("local.gateway.response_stats.time.monotonic", lambda: now)
    stats = Stats()
    stats.add("ListFunction", 200, 1)
    now = 1050.0
    stats.add("ListFunction", 200, 1)
    now = 1070.0

    found = stats.summary()

    assert found["all"]["Requests"] == {"2xx": 1}
    assert found["total_requests"] == 2
    assert found["window_seconds"] == 60


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_table_fits_its_terminal(width: int) -> None:
    text = draw_text(SHOT, width)
    assert max(map(len, text.splitlines())) <= width
    if width == 200:
        for part in ("make run", "8.0 MB", "down (timeout)", "ListFunction", "99.0", "1,200", "disk 95%"):
            assert part in text


INSPECTED = [
    {
        "Name": "/image_api_postgres",
        "Id": "0123456789abcdef",
        "State": {"Status": "running", "Running": True, "Health": {"Status": "healthy"}},
    },
    {"Name": "/image_api_minio", "Id": "fedcba9876543210", "State": {"Status": "exited", "Running": False}},
]
STATS = {"Name": "image_api_postgres", "CPUPerc": "3.25%", "MemUsage": "20.5MiB / 15.6GiB"}


def test_containers_without_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command, answer in (("inspect", INSPECTED), ("stats", STATS)):
        (tmp_path / command).write_text(json.dumps(answer))
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\ncat "{tmp_path}/$1"\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    shot = Monitor(make_settings({"PORT": "1", "DB_PORT": "1"}, data_dir=tmp_path), None).snapshot()

    running, stopped = shot["parts"]
    load = {"cpu_percent": 3.25, "memory": 21_495_808}
    known = {"name": "image_api_postgres", "id": "0123456789ab", "state": "running", "health": "healthy"}
    assert running == known | load
    assert (stopped["state"], stopped["health"], stopped["memory"]) == ("exited", "-", 0)
    assert "minio" not in (tmp_path / "asked").read_text().splitlines()[-1], "only what runs has a load"
    assert shot["mode"] == "docker"
    assert (shot["api"]["base_url"], shot["api"]["health"]) == ("http://127.0.0.1:1", {})
    assert "refused" in shot["database"]["error"]
    assert "The API does not answer." in draw_text(shot)


def test_without_docker_and_without_a_run_the_next_step_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LocalError, match="make run"):
        Monitor(make_settings({}), None)


def test_a_server_that_was_started_again_is_known_by_its_new_pid(tmp_path: Path) -> None:
    info = {"pid": 1, "base_url": "http://127.0.0.1:1", "s3": {"pid": 2}, "database": {"port": 1, "pid": 3}}
    with hold_folder(tmp_path):
        write_run_info([tmp_path / RUN_FILE], info)
        monitor = Monitor(make_settings({}, data_dir=tmp_path), info)
        write_run_info([tmp_path / RUN_FILE], info | {"s3": {"pid": 999_999_999}})
        restarted = monitor.snapshot()
        (tmp_path / RUN_FILE).unlink()  # as during a restart of the run
        without_info = monitor.snapshot()
    for shot in (restarted, without_info):
        (s3,) = (part for part in shot["parts"] if part["name"] == "s3")
        assert (s3["id"], s3["state"], s3["memory"]) == ("999999999", "gone", 0)
