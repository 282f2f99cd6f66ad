"""A stack is updated without changes, changed, and deleted."""

from pathlib import Path

from tests import ROOT
from tests.deploy.cloud import Cloud
from tests.deploy.conftest import Deployed
from tests.e2e.client import Api
from tests.support.waiting import wait_until

SECOND_KEY = "another-api-key-of-the-tests-that-is-long"


def test_deployed_from_nothing_and_updated(deployed: Deployed, build: Path) -> None:
    assert "Successfully created/updated stack" in deployed.first_output
    made = deployed.cloud.database.connect()
    with made, made.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM schema_migrations")
        assert cursor.fetchone()[0] == len(list((ROOT / "functions/migrate/migrations").glob("*.sql")))
    made.close()
    assert "Successfully created/updated stack" in deployed.second_output
    assert deployed.cloud.status(deployed.stack.name) == "UPDATE_COMPLETE"

    output = deployed.cloud.deploy(build, deployed.stack.name, deployed.parameters)

    assert "No changes to deploy" in output


def test_a_key_is_rotated_without_a_deploy(deployed: Deployed) -> None:
    """Both keys work, in new environments and in those that have read the first (see REFUSED_MAX_AGE)."""
    old = Api(deployed.stack.base_url, deployed.api_key)
    assert old.get("/api/tags").status == 200
    manager = deployed.cloud.client("secretsmanager")
    manager.put_secret_value(SecretId=deployed.stack.outputs["ApiKeySecret"], SecretString=SECOND_KEY)
    new = Api(deployed.stack.base_url, SECOND_KEY)

    wait_until(lambda: new.get("/api/tags").status == 200, seconds=90)

    assert old.get("/api/tags").status == 200
    assert Api(deployed.stack.base_url, "wrong").get("/api/tags").status == 401


def test_the_end(cloud: Cloud, build: Path) -> None:
    cloud.deploy(build, "other", {})
    signing_key = cloud.physical_id("other", "SigningKeySecret")

    cloud.delete("other")

    assert cloud.status("other") in ("", "DELETE_COMPLETE")
    names = [function["FunctionName"] for function in cloud.client("lambda").list_functions()["Functions"]]
    assert not [name for name in names if name.startswith("other-")]
    buckets = [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]
    assert "other-images-000000000000-us-east-1" in buckets, "images outlive their stack"
    assert cloud.client("secretsmanager").get_secret_value(SecretId=signing_key)["SecretString"]


def test_a_schema_that_cannot_be_made_undoes_the_deploy(cloud: Cloud, build: Path) -> None:
    secret = cloud.database_secret(password="not-the-password")
    output = cloud.deploy(build, "refused", {"DatabaseSecretArn": secret}, check=False)

    assert "Failed to create/update the stack" in output
    assert cloud.status("refused") == "ROLLBACK_COMPLETE"
    assert "DatabaseUnavailableError" in cloud.errors()


def test_a_function_reads_no_secret_that_is_not_for_it(deployed: Deployed) -> None:
    """Health signs no links, so it must not read the signing key."""
    cloud, name = deployed.cloud, deployed.stack.name
    listing, health = (cloud.variables(name, f"{kind}Function") for kind in ("List", "Health"))
    cloud.set_variables(
        name, "HealthFunction", health | {"SECRET_KEY_SECRET_ARN": listing["SECRET_KEY_SECRET_ARN"]}
    )
    try:
        answer = Api(deployed.stack.base_url, "any").get("/api/database/status")
        assert (answer.status, answer.code) == (503, "service_misconfigured")
        assert "AccessDenied" in answer.body["error"]["message"]
    finally:
        cloud.set_variables(name, "HealthFunction", health)
