"""What runs alongside `make run`: demo, monitor, and the runner's analysis queue."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.integration.run import ROOT, Run, run_local
from tests.support.gemini_server import KEY, GeminiServer, Says, busy, gemini_server
from tests.support.waiting import wait_until

COUNT = 5


@pytest.fixture(scope="module")
def gemini() -> Iterator[GeminiServer]:
    with gemini_server() as server:
        yield server


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, gemini: GeminiServer) -> Iterator[Run]:
    """A run that analyses uploads with a fake Gemini."""
    folder: Path = tmp_path_factory.mktemp("beside")
    folder.chmod(0o711)
    variables = {
        "ANALYZE_UPLOADS": "true",
        "GEMINI_API_KEY": KEY,
        "GEMINI_BASE_URL": gemini.url,
        "API_KEY": "a-key",
        "BASE_URL": "",
    }
    started = Run(folder / "data", ROOT / "template.yaml", variables)
    yield started
    assert started.stop() == 0


def local(run: Run, command: str, *arguments: str) -> str:
    done = run_local(command, "--data-dir", run.data_dir, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def verify(run: Run, *arguments: str) -> tuple[int, str]:
    """The exit status of `make verify`, and what it prints."""
    done = run_local("verify", "--data-dir", run.data_dir, *arguments)
    return done.returncode, done.stdout + done.stderr


def query(run: Run, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(run.connect_database()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall()) if cursor.description else []


def test_demo_adds_its_pictures_once(run: Run) -> None:
    assert f"{COUNT} added, 0 there already" in local(run, "demo", "--count", str(COUNT))
    assert f"0 added, {COUNT} there already" in local(run, "demo", "--count", str(COUNT))
    assert query(run, "SELECT count(*) FROM image_metadata") == [(COUNT,)]


def test_verify_tells_rows_without_their_files(run: Run) -> None:
    local(run, "demo", "--count", "2")
    assert verify(run)[0] == 0
    ((key,),) = query(run, "SELECT s3_key FROM image_metadata LIMIT 1")
    store = run.info["s3"]
    client = boto3.client(
        "s3",
        endpoint_url=store["endpoint_url"],
        aws_access_key_id=store["access_key"],
        aws_secret_access_key=store["secret_key"],
        region_name="us-east-1",
    )
    found = client.get_object(Bucket=store["bucket"], Key=key)
    data = found["Body"].read()
    client.delete_object(Bucket=store["bucket"], Key=key)

    status, text = verify(run, "--restore")

    assert status == 1
    assert f"MISSING       {key}\n" in text
    client.put_object(Bucket=store["bucket"], Key=key, Body=data)
    assert verify(run)[0] == 0


def test_verify_needs_a_run(tmp_path: Path) -> None:
    done = run_local("verify", "--data-dir", tmp_path)
    assert done.returncode == 2
    assert "Nothing runs on that data folder" in done.stderr


def test_monitor_sees_all_of_it(run: Run) -> None:
    local(run, "demo", "--count", "1")

    shot = json.loads(local(run, "monitor", "--json"))

    assert shot["mode"] == "run"
    parts = {part["name"]: part for part in shot["parts"]}
    assert {"runner", "postgres", "s3", "UploadFunction"} <= set(parts)
    for name in ("runner", "postgres", "s3"):
        assert (parts[name]["state"], parts[name]["health"]) == ("running", "up")
        assert parts[name]["memory"] > 1_000_000
    functions = shot["api"]["stats"]["functions"]
    assert functions["UploadFunction"]["Requests"]["2xx"] >= 1
    assert functions["UploadFunction"]["Latency"]["p95"] > 0
    assert shot["api"]["health"]["status"] == "healthy"
    ((images, size),) = query(run, "SELECT count(*), sum(size_bytes)::bigint FROM image_metadata")
    assert (shot["database"]["images"], shot["database"]["uploads"]) == (images, 0)
    assert shot["database"]["original_bytes"] == size
    assert shot["database"]["SweepFindings"] == 0
    assert 0 < shot["machine"]["disk"]["used"] < shot["machine"]["disk"]["total"]


def test_the_runner_hands_waiting_images_to_the_function(run: Run, gemini: GeminiServer) -> None:
    local(run, "demo", "--count", "1")
    query(run, "DELETE FROM image_analysis")
    gemini.script = [busy(1), busy(1), busy(1), Says(caption="At last.")]

    query(
        run, "INSERT INTO image_analysis (image_id, status) SELECT id, 'queued' FROM image_metadata LIMIT 1"
    )

    wait_until(lambda: query(run, "SELECT status FROM image_analysis") == [("ready",)], 40)
    assert query(run, "SELECT caption FROM image_analysis") == [("At last.",)]
