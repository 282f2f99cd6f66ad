"""What the templates must keep: least privilege, encryption, TLS, and log retention limits."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from imageapi.config.settings import MAX_DIRECT_FILE_BYTES

from tests.support.templates import (
    ALL,
    MAIN,
    ROOT,
    expand_template,
    find,
    read_template,
    resolve,
    statements,
    walk,
)

BY_NAME = [
    "cloudformation",
    "cloudwatch",
    "events",
    "lambda",
    "logs",
    "rds",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
]
BY_TAG = ["apigateway:*", "cloudfront:*"] + [
    f"ec2:*{kind}*"
    for kind in ["Address", "InternetGateway", "NatGateway", "Route", "SecurityGroup", "Subnet", "Vpc"]
]
WILDCARDS = {
    ("ImageBucketPolicy", "s3:*"): "it denies: whatever comes without TLS",
    **{
        ("ManageResources", f"{service}:*"): "CloudFormation's role, on what bears the stack's name"
        for service in BY_NAME
    },
    **{("ManageResources", action): "likewise, on what bears its tag" for action in BY_TAG},
    ("ManageResources", "lambda:*EventSourceMapping"): "likewise, for its functions",
}
"""Statements with a wildcard as action or resource, and why."""

ANYWHERE = {
    ("ManageResources", "Anywhere"): "CloudFormation's role: finds things, or concerns none",
    ("Boundary", "JoinNetwork"): "limits roles and gives nothing; as AWS's own policies for functions",
}
"""Statements for any resource, by Sid, and why. Their actions have no wildcard but Describe."""

MANAGED_POLICIES = {
    "service-role/AWSLambdaBasicExecutionRole": "writes logs; SAM gives it to every function",
    "service-role/AWSLambdaVPCAccessExecutionRole": "network interfaces, for functions in a network; "
    "has to name all, since they are not there yet",
}
"""AWS's managed policies, which contain wildcards, and their purpose."""

UNENCRYPTED = {"Topic": "carries the names of alarms; CloudWatch cannot use AWS's own key"}

FUNCTIONS = sorted(find(MAIN, "AWS::Lambda::Function"))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_no_wildcard_beyond_those_named(path: Path) -> None:
    for name, statement in statements(path):
        assert "NotAction" not in statement
        assert "NotResource" not in statement
        actions, resources = as_list(statement["Action"]), as_list(statement.get("Resource", []))
        wild = [action for action in actions if "*" in action]
        if "*" in resources and (name, statement.get("Sid")) in ANYWHERE:
            wild = [action for action in wild if not re.fullmatch(r"\w+:Describe\*", action)]
        elif "*" in resources:
            wild += actions
        assert not [action for action in wild if (name, action) not in WILDCARDS], (name, statement)


def test_objects_are_named_by_their_prefix() -> None:
    """A policy for objects covers one of the four prefixes or one object, never the whole bucket."""
    for name, statement in statements(MAIN):
        if statement["Effect"] == "Deny" or not str(statement["Action"]).count("Object"):
            continue
        parts = [part for part in walk(statement["Resource"]) if isinstance(part, str)]
        texts = [text for text in parts if ":s3:::" in text or "ImageBucket" in text]
        assert texts, name
        for text in texts:
            assert re.search(r"/((originals|incoming|variants|invalidations)/\*|webhooks/wake)$", text), (
                name,
                text,
            )


def test_managed_policies_are_those_named() -> None:
    for path in ALL:
        for role in find(path, "AWS::IAM::Role").values():
            for policy in role.get("ManagedPolicyArns", []):
                if isinstance(policy, dict) and policy.get("Ref") in find(path, "AWS::IAM::ManagedPolicy"):
                    continue
                text = policy if isinstance(policy, str) else policy["Fn::Sub"]
                assert text.partition(":policy/")[2] in MANAGED_POLICIES


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_has_a_role_and_a_log_of_its_own(name: str) -> None:
    functions = find(MAIN, "AWS::Lambda::Function")
    role = functions[name]["Role"]["Fn::GetAtt"][0]
    log = functions[name]["LoggingConfig"]["LogGroup"]["Ref"]
    assert role == f"{name}Role"
    assert log in find(MAIN, "AWS::Logs::LogGroup")
    others = [other for other in functions.values() if other is not functions[name]]
    assert all(other["LoggingConfig"]["LogGroup"]["Ref"] != log for other in others)


def test_each_log_ends() -> None:
    for path in ALL:
        for name, log in find(path, "AWS::Logs::LogGroup").items():
            assert log["RetentionInDays"], name


def test_no_bucket_is_public_and_all_are_encrypted() -> None:
    buckets = find(MAIN, "AWS::S3::Bucket")
    assert list(buckets) == ["ImageBucket"]
    for bucket in buckets.values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert "AccessControl" not in bucket


def test_buckets_take_tls_only() -> None:
    (policy,) = find(MAIN, "AWS::S3::BucketPolicy").values()
    statement = policy["PolicyDocument"]["Statement"][0]
    assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", "s3:*", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}
    assert len(statement["Resource"]) == 2


def test_queues_and_topics_are_encrypted() -> None:
    for path in ALL:
        for name, queue in find(path, "AWS::SQS::Queue").items():
            assert queue["SqsManagedSseEnabled"] is True, name
        for name, topic in find(path, "AWS::SNS::Topic").items():
            assert "KmsMasterKeyId" in topic or name in UNENCRYPTED


def test_the_functions_take_every_setting_of_the_readme() -> None:
    table = (
        (ROOT / "README.md")
        .read_text(encoding="utf-8")
        .partition("## Configuration")[2]
        .partition("\n## ")[0]
    )
    names = {
        name for row in re.findall(r"^\| (`.+?) \|", table, re.M) for name in re.findall(r"`(\w+)`", row)
    }
    declared = set(read_template(MAIN)["Globals"]["Function"]["Environment"]["Variables"])
    for function in find(MAIN, "AWS::Lambda::Function").values():
        declared |= set(function["Environment"]["Variables"])
    assert len(names) > 25
    # Variables of AWS's own tools are for emulators, which set them; private addresses are for laptops.
    assert {name for name in names - declared if not name.startswith("AWS_")} == {"WEBHOOK_ALLOW_PRIVATE"}


def test_the_gateway_says_of_large_files_what_the_service_says() -> None:
    (api,) = (r for r in read_template(MAIN)["Resources"].values() if r["Type"] == "AWS::Serverless::Api")
    templates = api["Properties"]["GatewayResponses"]["REQUEST_TOO_LARGE"]["ResponseTemplates"]
    details = json.loads(templates["application/json"])["error"]["details"]
    assert details == {"max_bytes": MAX_DIRECT_FILE_BYTES, "upload_route": "/api/uploads"}


def test_codes_of_the_gateways_own_errors_are_documented() -> None:
    document = json.loads((ROOT / "functions/gallery/openapi.json").read_text(encoding="utf-8"))
    documented = {code["const"] for code in document["components"]["schemas"]["ErrorCode"]["oneOf"]}
    codes = re.findall(r'{"error":{"code":"(.*?)"', MAIN.read_text(encoding="utf-8"))
    assert len(codes) == 5
    assert set(codes) <= documented


@pytest.mark.parametrize("name", ["ImageBucket", "SigningKeySecret"])
def test_images_and_what_signs_their_links_outlive_the_stack(name: str) -> None:
    assert expand_template(MAIN)[name]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_no_security_group_is_open_to_all() -> None:
    for path in ALL:
        for group in find(path, "AWS::EC2::SecurityGroup").values():
            for rule in group.get("SecurityGroupIngress", []):
                assert "SourceSecurityGroupId" in rule
                assert "CidrIp" not in rule


def test_secrets_are_no_parameters_that_show() -> None:
    for name, parameter in read_template(MAIN)["Parameters"].items():
        if re.search(r"Password|ApiKey|SecretKey|AccessKey", name):
            assert parameter["NoEcho"] is True, name


def test_every_parameter_says_what_it_is() -> None:
    for name, parameter in read_template(MAIN)["Parameters"].items():
        assert parameter.get("Description", "").endswith("."), name


OWN_NETWORK = {"VpcId": "vpc-1", "VpcSubnetIds": ["subnet-1", "subnet-2"]}


@pytest.mark.parametrize(
    ("values", "is_accepted"),
    [
        ({}, True),
        ({"DatabaseHost": "db"}, True),
        (OWN_NETWORK, True),
        ({"VpcId": "vpc-1"}, False),
        ({"GeminiApiKey": "k"}, False),
        ({"GeminiApiKey": "k", "NatGateway": "true"}, True),
        ({"GeminiApiKey": "k", "DatabaseHost": "db"}, True),
        ({"GeminiApiKey": "k", "DatabaseHost": "db", "KeepDatabase": "true"}, False),
        ({"GeminiApiKey": "k", "DatabaseHost": "db", "KeepNetwork": "true"}, False),
        ({"GeminiApiKey": "k", **OWN_NETWORK}, True),
        ({"GeminiSecretArn": "arn"}, False),
        ({"GeminiSecretArn": "arn", "AnalyzeUploads": "true", "NatGateway": "true"}, True),
        ({"GeminiSecretArn": "arn", **OWN_NETWORK}, True),
        ({"AnalyzeUploads": "true", **OWN_NETWORK}, False),
        ({"AnalyzeUploads": "true", "GeminiSecretArn": "arn", **OWN_NETWORK}, True),
        ({"AnalyzeUploads": "true", "GeminiApiKey": "k", **OWN_NETWORK}, True),
        ({"Edge": "true"}, True),
        ({"DomainName": "images.example.com", "CertificateArn": "arn"}, True),
        ({"DomainName": "images.example.com"}, False),
        ({"CertificateArn": "arn", "Edge": "true"}, False),
        ({"DomainName": "images.example.com", "CertificateArn": "arn", "PublicBaseUrl": "https://a"}, False),
        ({"PublicBaseUrl": "https://a", "Edge": "true"}, True),
        ({"WebAclArn": "arn"}, False),
        ({"WebAclArn": "arn", "Edge": "true"}, True),
        ({"BudgetUsd": "50"}, False),
        ({"BudgetUsd": "50", "Alarms": "true"}, False),
        ({"BudgetUsd": "50", "AlarmEmail": "a@b.c"}, False),
        ({"BudgetUsd": "50", "Alarms": "true", "AlarmEmail": "a@b.c"}, True),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(values: dict[str, Any], is_accepted: bool) -> None:
    template = read_template(MAIN)
    rules = [r for r in template["Rules"].values() if resolve(r["RuleCondition"], template, values)]
    asserted = [resolve(a["Assert"], template, values) for rule in rules for a in rule["Assertions"]]
    assert all(asserted) is is_accepted
