"""infra/github.yaml: the permissions of the workflow, and the boundary of the functions."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import ROOT
from tests.deploy.cloud import Cloud
from tests.e2e.client import Api

STACK = "image-api-dev"
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


@pytest.fixture(scope="module")
def roles(cloud: Cloud) -> Mapping[str, str]:
    """Create the stack from the unchanged file, without SAM, as the runbook does; returns its outputs."""
    template = (ROOT / "infra/github.yaml").read_text(encoding="utf-8")
    parameters = {"Repository": "owner/name", "Environment": "dev", "CreateProvider": "false"}
    return cloud.create("github-image-api-dev", template, parameters)


def sign_in(cloud: Cloud, name: str, policy: Mapping[str, Any], **options: str) -> Cloud:
    """Create a user with that policy; returns the cloud with the user's keys."""
    iam = cloud.client("iam")
    iam.create_user(UserName=name, **options)
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    user = copy.copy(cloud)
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    user.environ = cloud.environ | keys
    return user


@pytest.fixture
def workflow(cloud: Cloud, roles: Mapping[str, str]) -> Cloud:
    """The cloud with the policy of the role that the workflow assumes."""
    name = roles["DeployRole"].rpartition("/")[2]
    policy = cloud.client("iam").get_role_policy(RoleName=name, PolicyName="deploy")["PolicyDocument"]
    return sign_in(cloud, "workflow", policy)


def test_the_workflow_deploys_its_stack_and_does_nothing_else(
    cloud: Cloud, build: Path, workflow: Cloud, roles: Mapping[str, str]
) -> None:
    from_artifacts = ("--no-resolve-s3", "--s3-bucket", roles["Artifacts"])
    cloud.deploy(build, STACK, {})

    workflow.deploy(build, STACK, {"TrashDays": "7"}, options=from_artifacts)

    assert Api(cloud.describe(STACK).base_url, cloud.api_key(STACK)).get("/api/images").status == 200
    for name, options in (("image-api-prod", from_artifacts), (STACK, ())):
        refused = workflow.deploy(build, name, {}, options=options, check=False)
        assert "AccessDenied" in refused, "another stack, or from the bucket that all stacks share"
    for service, call in [
        ("s3", "list_buckets"),
        ("secretsmanager", "list_secrets"),
        ("lambda", "list_functions"),
        ("iam", "list_roles"),
    ]:
        client = workflow.client(service)
        with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
            getattr(client, call)()


def test_a_function_reads_no_secret_of_another_environment(cloud: Cloud, roles: Mapping[str, str]) -> None:
    """The boundary limits it, even if its policies allow everything: they come from the main branch."""
    names = [f"image-api-{environment}/api-key" for environment in ("dev", "prod")]
    for name in names:
        cloud.client("secretsmanager").create_secret(Name=name, SecretString="s")
    function = sign_in(cloud, "function", EVERYTHING, PermissionsBoundary=roles["Boundary"])
    manager = function.client("secretsmanager")

    assert manager.get_secret_value(SecretId=names[0])["SecretString"] == "s"
    with pytest.raises(ClientError, match=r"AccessDenied|not authorized"):
        manager.get_secret_value(SecretId=names[1])
