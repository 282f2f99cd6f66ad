"""The services of docker-compose.yml after `docker compose up -d --wait`."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.docker import images, stack
from tests.support import multipart
from tests.support.http_client import fetch
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("stores")


def query(sql: str) -> str:
    command = ("psql", "-h", "127.0.0.1", "-U", "postgres", "-d", "imagedb", "-tAc", sql)
    password = "PGPASSWORD=your_secure_password_123"
    return stack.run("docker", "exec", "-e", password, "image_api_postgres", *command).stdout.strip()


@pytest.mark.parametrize("container", ["image_api_postgres", "image_api_minio"])
def test_stores_are_healthy_and_come_back_after_a_reboot(container: str) -> None:
    facts = stack.inspect(container)

    assert facts["State"]["Health"]["Status"] == "healthy"
    assert facts["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert list(facts["NetworkSettings"]["Networks"]) == [stack.NETWORK]


def test_every_published_port_is_on_the_loopback_only() -> None:
    services = json.loads(stack.compose("--profile", "api", "config", "--format", "json").stdout)["services"]
    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert {int(port["published"]) for port in ports} == {8000, 9000, 9001, 5432}
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("values", "others"),
    [
        ({}, ""),
        ({"PUBLIC_BASE_URL": "https://a.test"}, ",https://a.test"),
        ({"CORS_ALLOW_ORIGINS": "https://b.test,https://c.test"}, ",https://b.test,https://c.test"),
    ],
)
def test_minio_takes_the_pages_of_the_api_and_of_the_origins_that_it_takes(
    tmp_path: Path, values: dict[str, str], others: str
) -> None:
    settings = tmp_path / "settings"
    settings.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    shown = stack.compose("--env-file", str(settings), "config", "--format", "json").stdout
    environ = json.loads(shown)["services"]["minio"]["environment"]
    origins = f"http://localhost:8000,http://127.0.0.1:8000{others}"
    assert environ["MINIO_API_CORS_ALLOW_ORIGIN"] == origins


def test_schema_is_there_and_up_makes_what_is_missing() -> None:
    assert query("SELECT to_regclass('image_metadata')") == "image_metadata"
    query("DROP INDEX image_metadata_sha256; DROP TABLE daily_budgets")

    stack.compose("up", "-d", "--wait")

    assert query("SELECT to_regclass('image_metadata_sha256')") == "image_metadata_sha256"
    assert query("SELECT to_regclass('daily_budgets')") == "daily_budgets"
    assert stack.inspect("image_api_schema")["State"]["ExitCode"] == 0


def test_schema_waits_for_an_open_transaction_but_writers_do_not_wait_behind_it() -> None:
    hold = "BEGIN; LOCK image_metadata IN ROW EXCLUSIVE MODE; SELECT pg_sleep(15); COMMIT"
    session = ("psql", "-U", "postgres", "-d", "imagedb", "-c", hold)
    stack.run("docker", "exec", "--detach", "image_api_postgres", *session)
    wait_until(lambda: query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), 10)

    with ThreadPoolExecutor() as threads:
        up = threads.submit(stack.compose, "up", "-d", "--wait")
        wait_until(lambda: query("SELECT 1 FROM pg_locks WHERE NOT granted"), 30)
        # A writer, which queues behind the schema. A failure raises.
        query("BEGIN; SET LOCAL statement_timeout = '4s'; LOCK image_metadata IN ROW EXCLUSIVE MODE; COMMIT")
        assert query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1"
        up.result()

    assert stack.inspect("image_api_schema")["State"]["ExitCode"] == 0


def test_down_leaves_only_the_two_volumes() -> None:
    before = set(stack.run("docker", "volume", "ls", "--quiet").stdout.split())
    stack.compose("down")
    stack.compose("up", "-d", "--wait")

    assert set(stack.run("docker", "volume", "ls", "--quiet").stdout.split()) <= before


def test_bucket_is_made_again_where_it_is_missing() -> None:
    s3 = images.make_s3()
    for stored in s3.list_objects_v2(Bucket="images").get("Contents", []):
        s3.delete_object(Bucket="images", Key=stored["Key"])
    s3.delete_bucket(Bucket="images")

    wait_until(lambda: s3.list_buckets()["Buckets"], 30)

    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["images"]


def test_pages_of_the_api_may_post_a_presigned_upload() -> None:
    """The page's origin, the API's port, differs from MinIO's. It can send the form and read the response."""
    form = images.make_s3().generate_presigned_post("images", "incoming/cors-check", ExpiresIn=60)
    fields = [multipart.field(name, value) for name, value in form["fields"].items()]
    body, content_type = multipart.build([*fields, multipart.file(b"hello", "a", name="file")])

    headers = {"Origin": stack.API.base_url, "Content-Type": content_type}
    answer = fetch("POST", form["url"], headers, body)

    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] in ("*", stack.API.base_url)
