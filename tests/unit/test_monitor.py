"""The monitor's numbers and its tables, without anything that runs."""

import io
import json
from argparse import Namespace
from typing import Any

import pytest
from rich.console import Console

from local.errors import LocalError
from local.gateway.stats import Answer, Stats, percentile, summarize
from local.monitor import containers
from local.monitor.snapshot import Every, Monitor, run_monitor
from local.monitor.view import draw, size
from local.settings import make_settings

SHOT: dict[str, Any] = {
    "at": "2026-01-02T03:04:05+0000",
    "mode": "run",
    "machine": {
        "cpu_percent": 12.0,
        "cpus": 4,
        "memory": {"used": 5, "total": 10},
        "disk": {"used": 95, "total": 100},
    },
    "parts": [
        {
            "name": "postgres",
            "id": "77",
            "state": "running",
            "cpu_percent": 1.5,
            "memory": 8_000_000,
            "health": "up",
        },
        {
            "name": "s3",
            "id": "78",
            "state": "gone",
            "cpu_percent": 0.0,
            "memory": 0,
            "health": "down (timeout)",
        },
    ],
    "api": {
        "base_url": "http://127.0.0.1:8000",
        "health": {"status": "unhealthy"},
        "stats": summarize([Answer(0, "ListFunction", 200, 4.2), Answer(1, "ListFunction", 503, 99)], 60),
    },
    "database": {
        "rows": {"ready": 1200, "pending": 1},
        "original_bytes": 5_000_000,
        "Renders": 7,
        "SweepFindings": 1,
        "Uploads": 3,
        "UploadedBytes": 12_000,
        "connections": 2,
        "database_bytes": 9_000_000,
    },
    "bucket": {"objects": 20_000, "bytes": 3_000_000_000, "complete": False},
}


def draw_text(shot: dict[str, Any], width: int = 110) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(draw(shot))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_rates_and_latencies() -> None:
    answers = [Answer(n, "ListFunction", 200, float(n)) for n in range(1, 101)]
    answers += [Answer(0, "UploadFunction", 413, 5), Answer(0, "UploadFunction", 502, 7)]

    found = summarize(answers, 30)

    assert found["functions"]["ListFunction"] == {
        "Requests": {"2xx": 100},
        "requests_per_minute": 200.0,
        "errors": 0,
        "Latency": {"p50": 50, "p95": 95},
    }
    assert found["functions"]["UploadFunction"]["Requests"] == {"4xx": 1, "5xx": 1}
    assert found["functions"]["UploadFunction"]["errors"] == 1
    assert found["all"]["requests_per_minute"] == 204.0


def test_no_requests() -> None:
    assert summarize([], 60)["all"] == {
        "Requests": {},
        "requests_per_minute": 0.0,
        "errors": 0,
        "Latency": {"p50": None, "p95": None},
    }


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 50, None), ([3.0], 50, 3.0), ([3.0], 95, 3.0), ([1.0, 2.0], 50, 1.0), ([1.0, 2.0], 95, 2.0)],
)
def test_percentiles(values: list[float], percent: int, expected: float | None) -> None:
    assert percentile(values, percent) == expected


def test_old_answers_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("local.gateway.stats.time.monotonic", lambda: now)
    stats = Stats()
    stats.add("ListFunction", 200, 1)
    now = 1050.0
    stats.add("ListFunction", 200, 1)
    now = 1070.0

    found = stats.summary()

    assert found["all"]["Requests"] == {"2xx": 1}
    assert found["total_requests"] == 2
    assert found["window_seconds"] == 60


def test_the_table_shows_everything() -> None:
    text = draw_text(SHOT)
    for part in (
        "make run",
        "postgres",
        "8.0 MB",
        "gone",
        "down (timeout)",
        "ListFunction",
        "99.0",
        "1,200 ready, 1 pending",
        "3 uploads in the last minute",
        "1 left for a sweep",
        "more than 20,000 objects, 3.0 GB",
        "disk ━━━━━━ 95%",
    ):
        assert part in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_table_fits_its_terminal(width: int) -> None:
    assert max(map(len, draw_text(SHOT, width).splitlines())) <= width


def test_what_does_not_answer_is_said() -> None:
    text = draw_text(
        SHOT
        | {
            "mode": "docker",
            "api": {"base_url": "http://127.0.0.1:8000", "health": None, "stats": None},
            "database": {"error": "connection refused"},
            "bucket": {"error": "no such bucket"},
        }
    )
    for part in ("docker compose", "The API does not answer.", "connection refused", "no such bucket"):
        assert part in text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4_100_000, "4.1 MB"), (5e15, "5000.0 TB")],
)
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


def test_dear_questions_are_asked_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 0.0, 10.0, 29.0, 30.0, 30.0, 45.0])
    monkeypatch.setattr("local.monitor.snapshot.time.monotonic", lambda: next(moments))
    answers = iter(range(9))
    ask = Every(30, lambda: {"number": next(answers)})

    assert [ask()["number"] for _ in range(5)] == [0, 0, 0, 1, 1]


INSPECTED = {
    "image_api_postgres": {
        "Name": "/image_api_postgres",
        "Id": "0123456789abcdef",
        "State": {"Status": "running", "Running": True, "Health": {"Status": "healthy"}},
        "Config": {"Env": ["POSTGRES_USER=me", "POSTGRES_PASSWORD=a=b", "POSTGRES_DB=pictures", "EMPTY="]},
        "HostConfig": {"PortBindings": {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "15432"}]}},
    },
    "image_api_minio": {
        "Name": "/image_api_minio",
        "Id": "fedcba9876543210",
        "State": {"Status": "exited", "Running": False},
        "Config": {"Env": ["MINIO_ROOT_USER=u", "MINIO_ROOT_PASSWORD=p"]},
        "HostConfig": {"PortBindings": None},
    },
}


def test_containers_tell_where_they_are_and_who_may_ask() -> None:
    target = containers.make_target(INSPECTED, make_settings({"PORT": "8001", "MINIO_BUCKET_NAME": "mine"}))

    assert target.base_url == "http://127.0.0.1:8001"
    assert target.database == {
        "host": "127.0.0.1",
        "port": 15432,
        "user": "me",
        "password": "a=b",
        "dbname": "pictures",
    }
    assert target.s3 == {
        "endpoint_url": "http://127.0.0.1:9000",
        "access_key": "u",
        "secret_key": "p",
        "bucket": "mine",
    }


def test_containers_as_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    stats = {"Name": "image_api_postgres", "CPUPerc": "3.25%", "MemUsage": "20.5MiB / 15.6GiB"}
    answers = {"inspect": json.dumps(list(INSPECTED.values())), "stats": json.dumps(stats) + "\n"}
    commands = []

    def run(*arguments: str) -> str:
        commands.append(arguments)
        return answers[arguments[0]]

    monkeypatch.setattr(containers, "run_docker", run)
    found = containers.find_containers(make_settings({}))
    assert found
    running, stopped = found.read({})

    assert running == {
        "name": "image_api_postgres",
        "id": "0123456789ab",
        "state": "running",
        "cpu_percent": 3.25,
        "memory": 21_495_808,
        "health": "healthy",
    }
    assert (stopped["state"], stopped["health"], stopped["memory"]) == ("exited", "-", 0)
    assert commands[-1][-1] == "image_api_postgres"  # only those that run are asked for their load


@pytest.mark.parametrize(
    ("text", "count"), [("0B", 0), ("4kB", 4_000), ("1.5GiB", 1_610_612_736), ("12MB", 12_000_000), ("--", 0)]
)
def test_sizes_as_docker_writes_them(text: str, count: int) -> None:
    assert containers.parse_size(text) == count


def test_without_docker_and_without_a_run_the_next_step_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LocalError, match="make run"):
        Monitor(make_settings({}), None)


def test_json_goes_with_once() -> None:
    with pytest.raises(LocalError, match="--once"):
        run_monitor(Namespace(once=False, json=True, interval=2), make_settings({}), None)
