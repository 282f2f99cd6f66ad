"""The end-to-end suite, against a stack that `sam deploy` made from template.yaml."""

import json
import subprocess
import sys

from tests.deploy.cloud import ROOT
from tests.deploy.conftest import Deployed
from tests.e2e.client import Api
from tests.support import multipart, pictures
from tests.support.http_client import Answer, fetch
from tests.support.waiting import wait_until


def api_of(deployed: Deployed) -> Api:
    return Api(deployed.stack.base_url, deployed.api_key)


def test_suite(deployed: Deployed) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/e2e", "-q", "-rfx", "-p", "tests.deploy.gaps"],
        cwd=ROOT,
        env=deployed.cloud.environ | {"BASE_URL": deployed.stack.base_url, "API_KEY": deployed.api_key},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    print(done.stdout[-3000:])
    assert done.returncode == 0, done.stdout[-6000:]


def test_the_event_of_s3_ingests_an_upload(deployed: Deployed) -> None:
    """No client calls /complete here."""
    api, data = api_of(deployed), pictures.jpeg()
    announced = api.request(
        "POST",
        "/api/uploads",
        headers={"Content-Type": "application/json"},
        body=json.dumps(
            {"filename": "event.jpg", "size_bytes": len(data), "mime_type": "image/jpeg", "metadata": {}}
        ).encode(),
    )
    assert announced.status == 201
    ticket = announced.body["data"]

    assert post_form(ticket["form"], data).status in (200, 201, 204)

    wait_until(lambda: api.get(f"/api/images/{ticket['id']}").status == 200, seconds=30)
    assert api.get(f"/api/images/{ticket['id']}").image["size_bytes"] == len(data)


def post_form(form: dict[str, object], data: bytes) -> Answer:
    """Send a presigned form as a browser does."""
    assert isinstance(form["fields"], dict)
    parts = [multipart.field(name, value) for name, value in form["fields"].items()]
    body, content_type = multipart.build([*parts, multipart.file(data, name="file")])
    return fetch("POST", str(form["url"]), {"Content-Type": content_type}, body)


def test_a_deleted_image_leaves_nothing(deployed: Deployed) -> None:
    api = api_of(deployed)
    image = api.upload(pictures.jpeg(), {"title": "soon gone"}).image
    s3, bucket = deployed.cloud.client("s3"), deployed.stack.outputs["BucketName"]
    assert s3.head_object(Bucket=bucket, Key=image["s3_key"])["ContentLength"] == image["size_bytes"]

    assert api.request("DELETE", f"/api/images/{image['id']}").status == 204
    assert s3.head_object(Bucket=bucket, Key=image["s3_key"])["ContentLength"] == image["size_bytes"]
    assert api.request("POST", f"/api/images/{image['id']}/restore").status == 200
    assert api.request("DELETE", f"/api/images/{image['id']}", query={"permanent": "true"}).status == 204

    assert api.get(f"/api/images/{image['id']}").status == 404
    assert s3.list_objects_v2(Bucket=bucket, Prefix=image["s3_key"])["KeyCount"] == 0


def verify(deployed: Deployed, *options: str) -> tuple[int, str]:
    """The exit status of `make verify STACK=…`, and what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "local", "verify", "--stack", deployed.stack.name, *options],
        cwd=ROOT,
        env=deployed.cloud.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout


def test_a_deleted_file_comes_back_by_the_role_of_the_sweep(deployed: Deployed) -> None:
    api, data = api_of(deployed), pictures.jpeg()
    key = api.upload(data, {"title": "restored"}).image["s3_key"]
    s3, bucket = deployed.cloud.client("s3"), deployed.stack.outputs["BucketName"]
    assert verify(deployed)[0] == 0
    s3.delete_object(Bucket=bucket, Key=key)

    status, text = verify(deployed)
    assert (status, f"MISSING       {key}" in text) == (1, True), text
    status, text = verify(deployed, "--restore")
    assert (status, f"restored      {key}" in text) == (0, True), text

    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == data
    assert verify(deployed)[0] == 0


def test_verify_of_no_stack_could_not_run(deployed: Deployed) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "verify", "--stack", "nowhere"],
        cwd=ROOT,
        env=deployed.cloud.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "nowhere" in done.stderr


def test_sweep_runs_with_its_role(deployed: Deployed) -> None:
    report = deployed.cloud.invoke(deployed.stack.name, "SweepFunction", {})

    assert report["failed"] == report["missing_objects"] == 0, report
