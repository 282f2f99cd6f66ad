"""`make run` from outside: its responses, crashes, and leftovers."""

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests import ROOT
from tests.integration.run import Run, is_running, run_local
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
        {"WORKERS_PER_FUNCTION": "2", "API_KEY": "key of the shell, old key", "LINK_TTL_SECONDS": "61"}
        | {"AWS_PROFILE": "missing"},
    )
    yield running
    running.stop()


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


def test_what_it_tells_and_which_pages_may_reach_s3(run: Run) -> None:
    assert run.info["api_key"] == "key of the shell", "the first"
    port = run.info["base_url"].rpartition(":")[2]
    rules = run.s3_client().get_bucket_cors(Bucket=run.info["s3"]["bucket"])["CORSRules"]
    origins = [f"http://127.0.0.1:{port}", f"http://localhost:{port}"]
    assert [rule["AllowedOrigins"] for rule in rules] == [origins]


def test_what_fails_is_502_and_the_next_request_is_fine(run: Run) -> None:
    """The function raises, exits, cannot be imported, or returns a response that Lambda refuses."""
    for path in ("/raise", "/exit", "/broken", "/big/6291600"):
        answer = run.ask("GET", path)
        request_id = answer.headers["x-request-id"]
        assert (answer.status, answer.body["error"]) == (502, ERROR_502 | {"request_id": request_id}), path
        assert run.ask("GET", "/greeting").status == 200
    assert "No module named 'a_module_that_is_missing'" in run.output


def test_worker_killed_in_mid_request_is_502(run: Run) -> None:
    pid = run.ask("GET", "/pid").body
    timer = threading.Timer(0.2, os.kill, (pid, signal.SIGKILL))
    timer.start()
    assert run.ask("GET", "/sleep/0.8").status == 502
    assert run.ask("GET", "/pid").body != pid


def test_timeout_is_504_and_ends_the_worker(run: Run) -> None:
    pid = run.ask("GET", "/pid").body
    answer = run.ask("GET", "/sleep/30")
    assert (answer.status, answer.body["error"]["code"]) == (504, "function_timed_out")
    assert not psutil.pid_exists(pid)


def test_more_requests_than_workers_wait_their_turn(run: Run) -> None:
    with ThreadPoolExecutor(50) as threads:
        answers = [threads.submit(run.ask, "GET", "/sleep/0.02") for _ in range(50)]
    assert [answer.result().status for answer in answers] == [200] * 50


def test_changed_code_is_loaded_and_broken_code_is_502_until_mended(run: Run, project: Path) -> None:
    greeting = project / "layers/shared/greeting.py"
    for source, expected in [('TEXT = "hi"', "hi"), ("TEXT = oops", None), ('TEXT = "hey"', "hey")]:
        greeting.write_text(source)

        def is_loaded(wanted: str | None = expected) -> bool:
            answer = run.ask("GET", "/greeting")
            return answer.status == 502 if wanted is None else answer.status == 200 and answer.body == wanted

        wait_until(is_loaded, 5)
    assert "NameError: name 'oops' is not defined" in run.output


def test_body_reaches_the_function_in_the_way_of_api_gateway(run: Run) -> None:
    sent = run.ask("POST", "/event", b"\xff" * 30, {"Content-Type": "multipart/form-data; boundary=x"})
    assert sent.body == {"is_base64": True, "length": 40}
    text = run.ask("POST", "/event", b"\xff" * 30, {"Content-Type": "image/png"})
    assert text.body == {"is_base64": False, "length": 30}


def test_too_large_is_413_and_names_the_way_out(run: Run) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for size, limit in ((4_800_000, "6 MB"), (10_485_761, "10 MB")):
        answer = run.ask("POST", "/event", bytes(size), headers)
        assert (answer.status, answer.body["error"]["code"]) == (413, "payload_too_large")
        assert limit in answer.body["error"]["message"]
        assert answer.body["error"]["details"] == {"max_bytes": 4_400_000, "upload_route": "/api/uploads"}


def test_host_that_is_not_its_own_is_421(run: Run) -> None:
    for path in ("/greeting", "/_local/stats", "/nothing"):
        answer = run.ask("GET", path, headers={"Host": "evil.example:8000"})
        assert (answer.status, answer.body["error"]["code"]) == (421, "host_unknown")


def test_second_runner_on_the_folder_or_the_port_is_told_of_the_first(run: Run, tmp_path: Path) -> None:
    port = run.info["base_url"].rpartition(":")[2]
    for folder, taken, said in (
        (run.data_dir, "0", f"in use by another run (pid {run.process.pid})"),
        (tmp_path, port, f"Port {port} (the API) is already in use"),
    ):
        done = run_local("run", "--data-dir", folder, "--template", run.template, "--port", taken)
        assert done.returncode == 1
        assert said in done.stderr


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
    run.s3_client().put_object(Bucket=s3["bucket"], Key="kept", Body=b"kept")

    os.kill(run.info["database"]["pid"], signal.SIGKILL)
    os.kill(psutil.Process(s3["pid"]).ppid(), signal.SIGKILL)  # the server's supervisor
    wait_until(lambda: run.output.count("is running again") == 2)
    wait_until(lambda: read_pids(run).isdisjoint({run.info["database"]["pid"], s3["pid"]}))
    check_kept(run)

    family = run.family()
    run.stop(signal.SIGKILL)
    run = Run(tmp_path / "data", project / "template.yaml")
    assert not any(is_running(process) for process in family)
    check_kept(run)
    family = run.family()
    assert len(family) >= 5
    assert run.stop() == 0
    assert not any(is_running(process) for process in family)
    assert not run.ready_file.exists()


def read_pids(run: Run) -> set[int]:
    info = json.loads(run.ready_file.read_text())
    return {info["database"]["pid"], info["s3"]["pid"]}


def check_kept(run: Run) -> None:
    with closing(run.connect_database()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n FROM kept")
        assert cursor.fetchall() == [(42,)]
    found = run.s3_client().get_object(Bucket=run.info["s3"]["bucket"], Key="kept")
    assert found["Body"].read() == b"kept"
