"""The end-to-end suite against a stack that `sam deploy` created from template.yaml."""

import sys

import pytest

from tests.deploy.conftest import Deployed
from tests.e2e.client import Api
from tests.support import pictures
from tests.support.waiting import wait_until


@pytest.fixture
def api(deployed: Deployed) -> Api:
    return Api(deployed.stack.base_url, deployed.api_key)


def test_suite(deployed: Deployed) -> None:
    variables = {"BASE_URL": deployed.stack.base_url, "API_KEY": deployed.api_key}
    command = [sys.executable, "-m", "pytest", "tests/e2e", "-q"]
    status, output = deployed.cloud.run(*command, **variables)

    print(output[-3000:])
    assert status == 0, output[-6000:]


def test_the_event_of_s3_ingests_an_upload(api: Api) -> None:
    """No client calls /complete here."""
    data = pictures.jpeg()
    ticket = api.announce(data, filename="event.jpg").body["data"]

    assert api.post_file(ticket["form"], data) in (200, 201, 204)

    wait_until(lambda: api.get(f"/api/images/{ticket['id']}").status == 200, seconds=30)
    assert api.get(f"/api/images/{ticket['id']}").image["size_bytes"] == len(data)


def test_an_image_deleted_for_good_leaves_nothing(deployed: Deployed, api: Api) -> None:
    image = api.upload(pictures.jpeg(), {"title": "soon gone"}).image
    s3, bucket = deployed.cloud.client("s3"), deployed.stack.outputs["BucketName"]
    assert s3.head_object(Bucket=bucket, Key=image["s3_key"])["ContentLength"] == image["size_bytes"]

    assert api.request("DELETE", f"/api/images/{image['id']}", query={"permanent": "true"}).status == 204

    assert s3.list_objects_v2(Bucket=bucket, Prefix=image["s3_key"])["KeyCount"] == 0


def test_a_deleted_file_comes_back_by_the_role_of_the_sweep(deployed: Deployed, api: Api) -> None:
    data = pictures.jpeg()
    key = api.upload(data, {"title": "restored"}).image["s3_key"]
    s3, bucket = deployed.cloud.client("s3"), deployed.stack.outputs["BucketName"]
    verify = [sys.executable, "-m", "local", "verify", "--stack", deployed.stack.name]
    assert deployed.cloud.run(*verify)[0] == 0
    s3.delete_object(Bucket=bucket, Key=key)

    status, text = deployed.cloud.run(*verify)
    assert (status, f"MISSING       {key}" in text) == (1, True), text
    status, text = deployed.cloud.run(*verify, "--restore")
    assert (status, f"restored      {key}" in text) == (0, True), text

    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == data
    report = deployed.cloud.invoke(deployed.stack.name, "SweepFunction", {})
    assert report["failed"] == report["missing_objects"] == 0, report


def test_verify_of_no_stack_could_not_run(deployed: Deployed) -> None:
    status, text = deployed.cloud.run(sys.executable, "-m", "local", "verify", "--stack", "nowhere")
    assert (status, "nowhere" in text) == (2, True)
