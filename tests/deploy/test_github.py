"""`sam deploy` with what infra/github.yaml allows the workflow, and nothing else."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deploy.cloud import REGION, ROOT, Cloud
from tests.e2e.client import Api
from tests.support.templates import find

STACK = "image-api-dev"
ARTIFACTS = f"image-api-dev-artifacts-000000000000-{REGION}"
FROM_ARTIFACTS = ("--no-resolve-s3", "--s3-bucket", ARTIFACTS)
VALUES = {
    "${AWS::Partition}": "aws",
    "${AWS::Region}": REGION,
    "${AWS::AccountId}": "000000000000",
    "${Environment}": "dev",
    "${Artifacts.Arn}": f"arn:aws:s3:::{ARTIFACTS}",
}


def policy_of_the_workflow() -> str:
    """DeployRole's policy as CloudFormation resolves it."""
    (policy,) = find(ROOT / "infra/github.yaml", "AWS::IAM::Role")["DeployRole"]["Policies"]

    def resolve(value: Any) -> Any:
        if isinstance(value, dict) and "Fn::Sub" in value:
            text = value["Fn::Sub"]
            for name, found in VALUES.items():
                text = text.replace(name, found)
            return text
        if isinstance(value, dict) and "Fn::GetAtt" in value:
            return "arn:aws:iam::000000000000:role/github/image-api-dev-cloudformation"
        if isinstance(value, dict):
            return {name: resolve(inner) for name, inner in value.items()}
        return [resolve(inner) for inner in value] if isinstance(value, list) else value

    return json.dumps(resolve(policy["PolicyDocument"]))


@pytest.fixture
def workflow(cloud: Cloud) -> Cloud:
    """The same cloud for a user with that policy."""
    cloud.client("s3").create_bucket(Bucket=ARTIFACTS)
    iam = cloud.client("iam")
    iam.create_user(UserName="workflow")
    iam.put_user_policy(UserName="workflow", PolicyName="deploy", PolicyDocument=policy_of_the_workflow())
    key = iam.create_access_key(UserName="workflow")["AccessKey"]
    user = copy.copy(cloud)
    keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    user.environ = cloud.environ | keys
    return user


def test_the_workflow_deploys_its_stack_and_does_nothing_else(
    cloud: Cloud, build: Path, workflow: Cloud
) -> None:
    cloud.deploy(build, STACK, {})

    workflow.deploy(build, STACK, {"TrashDays": "7"}, options=FROM_ARTIFACTS)

    assert Api(cloud.describe(STACK).base_url, cloud.api_key(STACK)).get("/api/images").status == 200
    for name, options in (("image-api-prod", FROM_ARTIFACTS), (STACK, ())):
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
