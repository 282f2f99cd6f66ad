"""Each function's role, tested in moto with IAM enforced and exactly the template's policies.

The other tests here show what the functions do with their roles, since the emulator enforces IAM too. This
file also tries everything else, except secrets: moto ignores which one a policy names, so test_stack.py tests
those.
"""

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from imageapi.storage.object_keys import WAKE_KEY

from tests.support.aws import emulate_aws, make_client
from tests.support.templates import MAIN, expand_template, find

BUCKET, OTHER_BUCKET = "images", "other-bucket"
SECRETS = (
    "ApiKeySecret",
    "SigningKeySecret",
    "ServiceUserSecret",
    "ManagerUserSecret",
    "DatabaseSecret",
    "GeminiSecret",
    "OriginSecret",
    "OtherSecret",
)
YES = ("CreatesDatabase", "CreatesPostgres", "UsesEdge", "Analyzes")
"""The conditions that are true; others are not."""
PREFIXES = ("originals", "incoming", "variants", "invalidations", "webhooks", "elsewhere")


def objects(actions: str, *prefixes: str) -> set[str]:
    return {f"{action} {prefix}" for action in actions.split() for prefix in prefixes}


ALLOWED: dict[str, set[str]] = {
    "UploadFunction": {"list", "put invalidations", "put webhooks"}
    | objects("put get delete", "incoming")
    | objects("put delete", "originals", "variants"),
    "ListFunction": set(),
    "ImageFunction": {"put invalidations", "put webhooks"}
    | objects("delete", "originals", "incoming", "variants"),
    "ChangesFunction": set(),
    "ManageFunction": {"put webhooks"},
    "HealthFunction": {"list"},
    "DeliverFunction": {"list", "get originals", "put invalidations"} | objects("put get delete", "variants"),
    "GalleryFunction": set(),
    "SweepFunction": {"list", "list versions", "put invalidations", "put webhooks"}
    | objects("put get delete", "originals", "incoming", "variants")
    | objects("get-version", "originals", "incoming"),
    "AnalyzeFunction": {"list", "get originals", "put webhooks"},
    "OutsideFunction": set(),
    "MigrateFunction": set(),
}
"""What each function needs. Every other attempt must be refused."""


class Account:
    """An AWS account in moto that permits only what a policy allows."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.owner = {"aws_access_key_id": "owner", "aws_secret_access_key": "owner"}
        s3, manager = self.client("s3", self.owner), self.client("secretsmanager", self.owner)
        for bucket in (BUCKET, OTHER_BUCKET):
            s3.create_bucket(Bucket=bucket)
        self.secrets = {
            name: str(manager.create_secret(Name=name, SecretString="x")["ARN"]) for name in SECRETS
        }
        self.users = {function: self.make_user(function) for function in ALLOWED}
        enforce_after(url, "0")

    def client(self, service: str, keys: dict[str, str]) -> Any:
        return make_client(service, self.url, **keys)

    def make_user(self, function: str) -> dict[str, str]:
        """Create a user with the policies of the function's role in the template."""
        iam = self.client("iam", self.owner)
        iam.create_user(UserName=function)
        for number, document in enumerate(policies_of(f"{function}Role")):
            text = json.dumps(resolve(document, self.secrets) | {"Version": "2012-10-17"})
            iam.put_user_policy(UserName=function, PolicyName=f"policy-{number}", PolicyDocument=text)
        key = iam.create_access_key(UserName=function)["AccessKey"]
        return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def enforce_after(url: str, requests: str) -> None:
    """Let moto enforce permissions after this number of further requests."""
    headers = {"Content-Type": "text/plain"}
    request = urllib.request.Request(f"{url}/moto-api/reset-auth", requests.encode(), headers, method="POST")
    urllib.request.urlopen(request).close()


def policies_of(role: str) -> Iterator[dict[str, Any]]:
    for policy in expand_template(MAIN)[role]["Properties"].get("Policies", []):
        yield policy["PolicyDocument"]


def resolve(value: Any, secrets: dict[str, str]) -> Any:
    """Evaluate CloudFormation's functions, for the bucket BUCKET and secrets that the template creates."""
    if isinstance(value, list):
        return [item for item in (resolve(item, secrets) for item in value) if item is not None]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        return resolve(yes if condition in YES else no, secrets)
    if "Fn::GetAtt" in value:
        name = value["Fn::GetAtt"][0]
        if name == "ImageBucket":
            return f"arn:aws:s3:::{BUCKET}"
        if name.endswith("Queue"):
            return f"arn:aws:sqs:us-east-1:123456789012:{name}"
        if name.endswith("Function"):
            return f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        return secrets["DatabaseSecret" if name == "PostgresStack" else name]
    names = {"AWS::Partition": "aws", "ImageBucket.Arn": f"arn:aws:s3:::{BUCKET}"}
    names |= {"AWS::AccountId": "123456789012", "EdgeStack.Outputs.DistributionId": "E123"}
    names |= {"GeminiSecretArn": secrets["GeminiSecret"], **secrets}
    if "Ref" in value:
        return None if value["Ref"] == "AWS::NoValue" else names[value["Ref"]]
    if "Fn::Sub" in value:
        text, own = value["Fn::Sub"] if isinstance(value["Fn::Sub"], list) else (value["Fn::Sub"], {})
        names |= resolve(own, secrets)
        return re.sub(r"\$\{([^}]+)\}", lambda match: names[match[1]], text)
    return {name: resolve(item, secrets) for name, item in value.items()}


def attempts(account: Account, function: str) -> dict[str, Callable[[], Any]]:
    """All attempts, by name."""
    keys = account.users[function]
    s3, manager = account.client("s3", keys), account.client("secretsmanager", keys)
    found: dict[str, Callable[[], Any]] = {
        "read another secret": partial(manager.get_secret_value, SecretId=account.secrets["OtherSecret"])
    }
    for prefix in PREFIXES:
        place = {"Bucket": BUCKET, "Key": WAKE_KEY if prefix == "webhooks" else f"{prefix}/a"}
        found[f"put {prefix}"] = partial(s3.put_object, **place, Body=b"x")
        found[f"get {prefix}"] = partial(s3.get_object, **place)
        found[f"delete {prefix}"] = partial(s3.delete_object, **place)
        found[f"get-version {prefix}"] = partial(s3.get_object, **place, VersionId="null")
        found[f"delete-version {prefix}"] = partial(s3.delete_object, **place, VersionId="null")
    found["list"] = lambda: s3.list_objects_v2(Bucket=BUCKET)
    found["list versions"] = lambda: s3.list_object_versions(Bucket=BUCKET)
    found["list another bucket"] = lambda: s3.list_objects_v2(Bucket=OTHER_BUCKET)
    found["put elsewhere"] = lambda: s3.put_object(Bucket=OTHER_BUCKET, Key="originals/a", Body=b"x")
    found["open the bucket"] = lambda: s3.put_bucket_policy(Bucket=BUCKET, Policy="{}")
    found["delete the bucket"] = lambda: s3.delete_bucket(Bucket=OTHER_BUCKET)
    found["write a secret"] = lambda: manager.put_secret_value(
        SecretId=account.secrets["ApiKeySecret"], SecretString="y"
    )
    found["list users"] = lambda: account.client("iam", keys).list_users()
    return found


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with emulate_aws() as url:
        try:
            yield Account(url)
        finally:
            enforce_after(url, "inf")


def test_the_list_names_every_function() -> None:
    assert set(ALLOWED) == set(find(MAIN, "AWS::Lambda::Function"))


@pytest.mark.parametrize("function", ALLOWED)
def test_a_role_allows_what_is_needed_and_nothing_else(account: Account, function: str) -> None:
    answers = {}
    for name, attempt in attempts(account, function).items():
        try:
            attempt()
        except ClientError as error:
            answers[name] = error.response["Error"]["Code"]
        else:
            answers[name] = "done"

    refused = {name for name, answer in answers.items() if answer.startswith(("AccessDenied", "403"))}
    assert {answer for name, answer in answers.items() if name not in refused} <= {
        "done",
        "NoSuchKey",
        "NoSuchVersion",
    }
    assert answers.keys() - refused == ALLOWED[function]
