"""The scheduled and queued work of `make run`, and the commands beside it: demo, verify, monitor."""

import json
import os
import shutil
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests import ROOT
from tests.e2e.client import Api
from tests.integration.run import Run, run_local
from tests.integration.webhooks.receiver import receiver
from tests.support import pictures
from tests.support.events import API_KEY
from tests.support.gemini_server import KEY, GeminiServer, Says, busy, gemini_server
from tests.support.waiting import wait_until

COUNT = 5


@pytest.fixture(scope="module")
def gemini() -> Iterator[GeminiServer]:
    with gemini_server() as server:
        yield server


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, gemini: GeminiServer) -> Iterator[Run]:
    """A run that analyzes uploads with a fake Gemini, and sends webhooks to loopback."""
    folder: Path = tmp_path_factory.mktemp("beside")
    folder.chmod(0o711)
    gemini_variables = {"ANALYZE_UPLOADS": "true", "GEMINI_API_KEY": KEY, "GEMINI_BASE_URL": gemini.url}
    variables = {"WEBHOOK_ALLOW_PRIVATE": "true", "API_KEY": API_KEY, "BASE_URL": ""} | gemini_variables
    started = Run(folder / "data", ROOT / "template.yaml", variables)
    yield started
    assert started.stop() == 0


def local(run: Run, command: str, *arguments: str) -> str:
    done = run_local(command, "--data-dir", run.data_dir, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def verify(run: Run, *arguments: str) -> tuple[int, str]:
    """Run `make verify`; returns its exit status and output."""
    done = run_local("verify", "--data-dir", run.data_dir, *arguments)
    return done.returncode, done.stdout + done.stderr


def query(run: Run, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(run.connect_database()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall()) if cursor.description else []


def test_demo_adds_its_pictures_once(run: Run) -> None:
    local(run, "demo", "--count", str(COUNT))
    assert f"0 added, {COUNT} already uploaded" in local(run, "demo", "--count", str(COUNT))


def test_verify_tells_rows_without_their_files(run: Run) -> None:
    local(run, "demo", "--count", "2")
    assert verify(run)[0] == 0
    ((key,),) = query(run, "SELECT s3_key FROM image_metadata LIMIT 1")
    client, bucket = run.s3_client(), run.info["s3"]["bucket"]
    data = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    client.delete_object(Bucket=bucket, Key=key)

    status, text = verify(run, "--restore")

    assert status == 1
    assert f"MISSING       {key}\n" in text
    client.put_object(Bucket=bucket, Key=key, Body=data)
    assert verify(run)[0] == 0


def test_verify_needs_a_run(tmp_path: Path) -> None:
    done = run_local("verify", "--data-dir", tmp_path)
    assert done.returncode == 2
    assert "No service is running on this data folder" in done.stderr


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


def announce(api: Api) -> tuple[str, Callable[[], int]]:
    """Register an upload; returns its id, and a function that posts its form."""
    picture = pictures.jpeg_of_size(100_000, seed=uuid.uuid4())
    values = {"filename": "a.jpg", "size_bytes": len(picture), "mime_type": "image/jpeg"}
    ticket = api.request("POST", "/api/uploads", body=json.dumps(values).encode()).body["data"]

    def send() -> int:
        fields = {**ticket["form"]["fields"], "file": ("a.jpg", picture)}
        return urllib3.request("POST", ticket["form"]["url"], fields=fields).status

    return ticket["id"], send


def is_listed(api: Api, image_id: str) -> bool:
    return image_id in {image["id"] for image in api.request("GET", "/api/images").body["images"]}


def test_a_posted_file_is_stored_without_a_call(run: Run) -> None:
    api = Api(run.info["base_url"], API_KEY)
    image_id, send = announce(api)

    def count_ingests() -> int:
        return run.output.count(" UploadFunction: ingest ")

    assert send() == 204
    wait_until(lambda: is_listed(api, image_id))
    ingested = count_ingests()
    assert send() == 204
    wait_until(lambda: count_ingests() > ingested)


def test_an_upload_wakes_its_deliveries(run: Run) -> None:
    """Without it, they would wait for the hourly sweep."""
    api = Api(run.info["base_url"], API_KEY)
    with receiver() as server:
        body = json.dumps({"url": server.url, "types": ["image.uploaded"]}).encode()
        webhook = api.request("POST", "/api/webhooks", body=body).body["data"]
        path = f"/api/webhooks/{webhook['id']}"
        api.request("POST", f"{path}/test")
        wait_until(lambda: server.received)  # the functions are warm

        image = api.upload(pictures.jpeg()).image
        wait_until(lambda: len(server.received) == 2)
        wait_until(lambda: len(api.request("GET", path).body["data"]["results"]) == 2)

    test, change = server.changes(webhook["secret"])
    assert (test["type"], change["type"]) == ("webhook.test", "image.uploaded")
    assert change["data"]["subject_id"] == image["id"]
    results = api.request("GET", path).body["data"]["results"]
    assert [result["status"] for result in results] == [204, 204]
    assert webhook["secret"] not in (run.data_dir / "api.log").read_text()


def test_what_a_killed_run_missed_and_a_newer_release_adds_follow_at_the_next_start(tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    for name in ("functions", "layers"):
        shutil.copytree(ROOT / name, newer / name)
    for name in ("template.yaml", "init_db.sql"):
        shutil.copy(ROOT / name, newer)
    folder = newer / "functions/migrate/migrations"
    migration = f"{len(list(folder.glob('*.sql'))) + 1:04}_add_a_table"
    (folder / f"{migration}.sql").write_text("CREATE TABLE IF NOT EXISTS added ();\n")

    def start(project: Path) -> tuple[Run, Api]:
        variables = {"API_KEY": API_KEY, "WORKERS_PER_FUNCTION": "2"}
        run = Run(tmp_path / "data", project / "template.yaml", variables)
        return run, Api(run.info["base_url"], API_KEY)

    first, api = start(ROOT)
    last_sweep = tmp_path / "data" / "SweepFunction.Hourly.ran"
    wait_until(last_sweep.exists)
    image_id, send = announce(api)
    assert send() == 204
    assert "brought up to date" not in first.output
    first.stop(signal.SIGKILL)
    os.utime(last_sweep, (time.time() - 3600,) * 2)

    second, api = start(newer)
    assert f"Updated the database schema: {migration}" in second.output
    assert query(second, "SELECT to_regclass('added') IS NOT NULL") == [(True,)]
    wait_until(lambda: is_listed(api, image_id))
    wait_until(lambda: " SweepFunction: sweep " in second.output)
    time.sleep(2)
    assert second.stop() == 0
    assert second.output.count(" SweepFunction: sweep ") == 1
