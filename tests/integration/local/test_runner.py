"""`make run` from outside: its responses, what it survives and what it leaves behind."""

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from tests.integration.run import ROOT, Run, is_running, run_local
from tests.support.waiting import wait_until

FIXTURE = ROOT / "tests" / "fixtures" / "runner"
ERROR_502 = {"code": "function_failed", "message": "Internal server error"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path_factory.mktemp("runner") / "project"))


@pytest.fixture(scope="module")
def run(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    running = Run(
        tmp_path_factory.mktemp("runner") / "data",
        project / "template.yaml",
        {"WORKERS_PER_FUNCTION": "2", "API_KEY": "key of the shell, old key", "LINK_TTL_SECONDS": "61"},
    )
    yield running
    running.stop()


def test_data_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    for name in ("functions", "layers"):
        shutil.copytree(ROOT / name, newer / name)
    for name in ("template.yaml", "init_db.sql"):
        shutil.copy(ROOT / name, newer)
    folder = newer / "functions/migrate/migrations"
    name = f"{len(list(folder.glob('*.sql'))) + 1:04}_add_a_table"
    (folder / f"{name}.sql").write_text("CREATE TABLE IF NOT EXISTS added ();\n")

    def start_and_stop(project: Path) -> str:
        running = Run(tmp_path / "data", project / "template.yaml")
        with closing(running.connect_database()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('added')")
            (found,) = cursor.fetchone()
        running.stop()
        assert bool(found) == (project == newer)
        return running.output

    assert "brought up to date" not in start_and_stop(ROOT)
    assert f"brought up to date: {name}" in start_and_stop(newer)
    assert "brought up to date" not in start_and_stop(newer)


def test_functions_see_the_settings_and_paths_of_lambda(run: Run, project: Path) -> None:
    seen = run.ask("GET", "/environment").body
    variables = seen["variables"]
    assert variables["API_KEY"] == "key of the shell, old key"
    assert variables["LINK_TTL_SECONDS"] == "61"
    assert variables["DB_HOST"] == "127.0.0.1"
    assert variables["DB_PORT"] == str(run.info["database"]["port"])
    assert variables["MINIO_BUCKET_NAME"] == run.info["s3"]["bucket"]
    assert variables["ONLY_IN_TEMPLATE"] == "as it is"
    assert variables["AWS_LAMBDA_FUNCTION_NAME"] == "PlayFunction"
    assert variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == seen["memory"] == "256"
    assert "PYTEST_CURRENT_TEST" not in variables
    assert seen["path"] == [str(project / "functions/play"), str(project / "layers/shared")]
    assert 0 < seen["left"] <= 1000


def test_first_of_several_keys_is_the_one_to_send(run: Run) -> None:
    assert run.info["api_key"] == "key of the shell"


def test_s3_takes_the_pages_of_the_api_and_no_others(run: Run) -> None:
    port = run.info["base_url"].rpartition(":")[2]
    rules = make_client(run.info["s3"]).get_bucket_cors(Bucket=run.info["s3"]["bucket"])["CORSRules"]
    origins = [f"http://127.0.0.1:{port}", f"http://localhost:{port}"]
    assert [rule["AllowedOrigins"] for rule in rules] == [origins]


@pytest.mark.parametrize("action", ["raise", "exit"])
def test_crash_is_502_and_the_next_request_is_fine(run: Run, action: str) -> None:
    answer = run.ask("GET", f"/{action}")
    assert (answer.status, answer.body["error"]) == (502, ERROR_502)
    assert answer.headers["x-request-id"]
    assert run.ask("GET", "/greeting").status == 200


def test_worker_killed_in_mid_request_is_502(run: Run) -> None:
    pid = run.ask("GET", "/pid").body
    timer = threading.Timer(0.2, os.kill, (pid, signal.SIGKILL))
    timer.start()
    assert run.ask("GET", "/sleep/0.8").status == 502
    assert run.ask("GET", "/pid").body != pid


def test_timeout_is_504_and_ends_the_worker(run: Run) -> None:
    pid = run.ask("GET", "/pid").body
    answer = run.ask("GET", "/sleep/30")
    assert (answer.status, answer.body["message"]) == (504, "Endpoint request timed out")
    assert not psutil.pid_exists(pid)


def test_more_requests_than_workers_wait_their_turn(run: Run) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(run.ask("GET", "/sleep/0.02").status))
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 50


def test_changed_code_is_loaded_and_broken_code_is_502_until_mended(run: Run, project: Path) -> None:
    greeting = project / "layers/shared/greeting.py"
    for source, expected in [('TEXT = "hi"', "hi"), ("TEXT = oops", None), ('TEXT = "hey"', "hey")]:
        greeting.write_text(source)

        def is_loaded(wanted: str | None = expected) -> bool:
            answer = run.ask("GET", "/greeting")
            return answer.status == 502 if wanted is None else answer.status == 200 and answer.body == wanted

        wait_until(is_loaded, 5)
    assert "NameError: name 'oops' is not defined" in run.output


def test_function_that_cannot_be_imported_is_502(run: Run) -> None:
    assert run.ask("GET", "/broken").status == 502
    assert "No module named 'a_module_that_is_missing'" in run.output


def test_body_reaches_the_function_in_the_way_of_api_gateway(run: Run) -> None:
    sent = run.ask("POST", "/event", b"\xff" * 30, {"Content-Type": "multipart/form-data; boundary=x"})
    assert sent.body == {"is_base64": True, "length": 40}
    text = run.ask("POST", "/event", b"\xff" * 30, {"Content-Type": "image/png"})
    assert text.body == {"is_base64": False, "length": 30}


@pytest.mark.parametrize(("size", "limit"), [(4_800_000, "6 MB"), (10_485_761, "10 MB")])
def test_too_large_is_413_and_names_the_way_out(run: Run, size: int, limit: str) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = run.ask("POST", "/event", bytes(size), headers)
    assert (answer.status, answer.body["error"]["code"]) == (413, "payload_too_large")
    assert limit in answer.body["error"]["message"]
    assert "POST /api/uploads" in answer.body["error"]["message"]
    assert answer.body["error"]["details"] == {"max_bytes": 4_400_000, "upload_route": "/api/uploads"}


@pytest.mark.parametrize("path", ["/greeting", "/_local/stats", "/nothing"])
def test_host_that_is_not_its_own_is_421(run: Run, path: str) -> None:
    answer = run.ask("GET", path, headers={"Host": "evil.example:8000"})
    assert (answer.status, answer.body["error"]["code"]) == (421, "host_unknown")
    assert answer.headers["x-request-id"]


def test_answer_that_lambda_refuses_is_502(run: Run) -> None:
    assert run.ask("GET", "/big/6291600").status == 502


def test_connection_is_kept_and_an_unread_body_does_not_confuse_it(run: Run) -> None:
    connection = run.connect()
    for _ in range(3):
        connection.request("POST", "/event", b"x" * 1000)
        response = connection.getresponse()
        assert response.status == 200
        response.read()
        assert connection.sock is not None
    connection.close()


def test_second_runner_on_the_folder_is_told_of_the_first(run: Run) -> None:
    done = run_local("run", "--data-dir", run.data_dir, "--template", run.template, "--port", "0")
    assert done.returncode == 1
    assert f"in use by another run (pid {run.process.pid})" in done.stderr


def test_port_that_is_taken_is_named(run: Run, tmp_path: Path) -> None:
    port = run.info["base_url"].rpartition(":")[2]
    done = run_local("run", "--data-dir", tmp_path, "--template", run.template, "--port", port)
    assert done.returncode == 1
    assert f"Port {port}, meant for the API, is taken" in done.stderr


def test_invoke_calls_one_function_beside_the_run(run: Run, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"pathParameters": {"action": "pid"}}')
    place = ("--data-dir", run.data_dir, "--template", run.template)
    done = run_local("invoke", *place, "PlayFunction", event)
    assert '"statusCode": 200' in done.stdout, done.stderr


def test_data_survives_whatever_is_killed_and_sigterm_leaves_nothing(project: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "data", project / "template.yaml")
    s3 = run.info["s3"]
    with run.connect_database() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (n integer); INSERT INTO kept VALUES (42)")
    connection.close()
    put_object(s3, "kept")

    os.kill(run.info["database"]["pid"], signal.SIGKILL)
    os.kill(psutil.Process(s3["pid"]).ppid(), signal.SIGKILL)  # the server's supervisor
    wait_until(lambda: run.output.count("is back") == 2)
    wait_until(lambda: read_pids(run).isdisjoint({run.info["database"]["pid"], s3["pid"]}))
    assert count_rows(run) == 1
    assert get_object(s3, "kept") == b"kept"

    family = run.family()
    run.stop(signal.SIGKILL)
    run = Run(tmp_path / "data", project / "template.yaml")
    assert not any(is_running(process) for process in family)
    assert count_rows(run) == 1
    assert get_object(run.info["s3"], "kept") == b"kept"
    family = run.family()
    assert len(family) >= 5
    assert run.stop() == 0
    assert not any(is_running(process) for process in family)
    assert not run.ready_file.exists()


def read_pids(run: Run) -> set[int]:
    info = json.loads(run.ready_file.read_text())
    return {info["database"]["pid"], info["s3"]["pid"]}


def count_rows(run: Run) -> int:
    with run.connect_database() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM kept WHERE n = 42")
        count: int = cursor.fetchone()[0]
    connection.close()
    return count


def make_client(s3: dict[str, str]) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=s3["endpoint_url"],
        aws_access_key_id=s3["access_key"],
        aws_secret_access_key=s3["secret_key"],
        region_name="us-east-1",
    )


def put_object(s3: dict[str, str], key: str) -> None:
    make_client(s3).put_object(Bucket=s3["bucket"], Key=key, Body=key.encode())


def get_object(s3: dict[str, str], key: str) -> bytes:
    body: bytes = make_client(s3).get_object(Bucket=s3["bucket"], Key=key)["Body"].read()
    return body
