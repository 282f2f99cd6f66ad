"""The templates keep least privilege, encryption, TLS, and log retention limits."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT
from tests.support import templates
from tests.support.settings import documented_variables
from tests.support.templates import ALL, MAIN, as_list, expand_template, find, read_template, resolve

BY_NAME = [
    *("cloudformation", "cloudwatch", "events", "lambda", "logs"),
    *("rds", "s3", "secretsmanager", "sns", "sqs"),
]
NETWORK = ["Address", "InternetGateway", "NatGateway", "Route", "SecurityGroup", "Subnet", "Vpc"]
BY_TAG = ["apigateway:*", "cloudfront:*", *(f"ec2:*{kind}*" for kind in NETWORK)]
WILDCARDS = {
    ("ImageBucketPolicy", "s3:*"): "it denies: whatever comes without TLS",
    ("QueuePolicy", "sqs:SendMessage"): "of each of its queues; for this bucket and one schedule",
    # CloudFormation's role, on what bears the stack's name or its tag
    **{("ManageResources", f"{service}:*"): "by name" for service in BY_NAME},
    **{("ManageResources", action): "by tag" for action in (*BY_TAG, "lambda:*EventSourceMapping")},
}
"""Statements with a wildcard as action or resource, and why."""

ANYWHERE = {
    ("ManageResources", "Anywhere"): "CloudFormation's role: finds things, or concerns none",
    ("Boundary", "JoinNetwork"): "limits roles and gives nothing; as AWS's own policies for functions",
}
"""Statements for any resource, by Sid, and why. Their actions have no wildcard except in Describe."""

MANAGED_POLICIES = {
    "service-role/AWSLambdaBasicExecutionRole": "writes logs; SAM gives it to every function",
    "service-role/AWSLambdaVPCAccessExecutionRole": "network interfaces, which are not there yet to be named",
}
"""AWS's managed policies, which contain wildcards, and their purpose."""

UNENCRYPTED = {"Topic": "carries the names of alarms; CloudWatch cannot use AWS's own key"}


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_no_wildcard_beyond_those_named(path: Path) -> None:
    for name, statement in templates.statements(path):
        assert "NotAction" not in statement
        assert "NotResource" not in statement
        actions, resources = as_list(statement["Action"]), as_list(statement.get("Resource", []))
        wild = [action for action in actions if "*" in action]
        if "*" in resources and (name, statement.get("Sid")) in ANYWHERE:
            wild = [action for action in wild if not re.fullmatch(r"\w+:Describe\*", action)]
        elif "*" in resources:
            wild += actions
        assert not [action for action in wild if (name, action) not in WILDCARDS], (name, statement)


def test_managed_policies_are_those_named() -> None:
    for path in ALL:
        for role in find(path, "AWS::IAM::Role").values():
            for policy in role.get("ManagedPolicyArns", []):
                text = policy if isinstance(policy, str) else policy.get("Fn::Sub") or policy["Ref"]
                name = text.partition(":policy/")[2]
                assert name in MANAGED_POLICIES or text in find(path, "AWS::IAM::ManagedPolicy")


def test_each_function_has_a_role_of_its_own_and_each_log_ends() -> None:
    logs = find(MAIN, "AWS::Logs::LogGroup")
    for name, function in find(MAIN, "AWS::Lambda::Function").items():
        assert function["Role"]["Fn::GetAtt"][0] == f"{name}Role"
        assert function["LoggingConfig"]["LogGroup"]["Ref"] in logs
    for path in ALL:
        assert all(log["RetentionInDays"] for log in find(path, "AWS::Logs::LogGroup").values()), path.name


def test_the_bucket_is_not_public_encrypted_and_takes_tls_only() -> None:
    ((name, bucket),) = find(MAIN, "AWS::S3::Bucket").items()
    assert name == "ImageBucket"
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert "AccessControl" not in bucket
    (policy,) = find(MAIN, "AWS::S3::BucketPolicy").values()
    statement = policy["PolicyDocument"]["Statement"][0]
    assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", "s3:*", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}
    assert len(statement["Resource"]) == 2


def test_queues_and_topics_are_encrypted_and_no_security_group_is_open_to_all() -> None:
    for path in ALL:
        for name, queue in find(path, "AWS::SQS::Queue").items():
            assert queue["SqsManagedSseEnabled"] is True, name
        for name, topic in find(path, "AWS::SNS::Topic").items():
            assert "KmsMasterKeyId" in topic or name in UNENCRYPTED
        for group in find(path, "AWS::EC2::SecurityGroup").values():
            for rule in group.get("SecurityGroupIngress", []):
                assert "SourceSecurityGroupId" in rule
                assert "CidrIp" not in rule


def test_the_functions_take_every_setting_of_the_readme() -> None:
    names = documented_variables()
    declared = set(read_template(MAIN)["Globals"]["Function"]["Environment"]["Variables"])
    for function in find(MAIN, "AWS::Lambda::Function").values():
        declared |= set(function["Environment"]["Variables"])
    assert len(names) > 25
    # Variables of AWS's own tools are for emulators, which set them; private addresses are for laptops.
    assert {name for name in names - declared if not name.startswith("AWS_")} == {"WEBHOOK_ALLOW_PRIVATE"}


@pytest.mark.parametrize("name", ["ImageBucket", "SigningKeySecret"])
def test_images_and_what_signs_their_links_outlive_the_stack(name: str) -> None:
    assert expand_template(MAIN)[name]["DeletionPolicy"] == "RetainExceptOnCreate"


def test_the_table_of_contents_names_each_function_in_its_chapter_and_parameters_are_described() -> None:
    text = MAIN.read_text(encoding="utf-8")
    contents = text.partition("\nAWSTemplateFormatVersion")[0]
    for number, title, names in re.findall(r"^#  ?(\d+)  (.+?)  +(\S.*)$", contents, re.M):
        chapter = re.split(r"^# -+ +", text, flags=re.M)[int(number)]
        assert chapter.startswith(f"{number}  {title}\n")
        for name in re.findall(r"\w+(?:Function|Layer|Bucket|Stack)\b", names):
            assert f"\n  {name}:\n" in chapter, name
    assert all(name in contents for name in find(MAIN, "AWS::Lambda::Function"))
    for name, parameter in read_template(MAIN)["Parameters"].items():
        assert parameter.get("Description", "").endswith("."), name


@pytest.mark.parametrize("stage", ["default", "dev", "prod"])
def test_a_deploy_has_parameters_and_values_that_the_template_accepts(stage: str) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))[stage]["deploy"][
        "parameters"
    ]
    assert config["capabilities"].split() == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    for text in config.get("parameter_overrides", []):
        name, _, value = text.partition("=")
        parameter = read_template(MAIN)["Parameters"][name]
        assert value in map(str, parameter.get("AllowedValues", [value])), name
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value), name


SUBNETS = {"VpcSubnetIds": ["subnet-1", "subnet-2"], "VpcSecurityGroupIds": ["sg-1"]}
OWN_NETWORK = {"VpcId": "vpc-1", **SUBNETS}


@pytest.mark.parametrize(
    ("values", "is_accepted"),
    [
        ({}, True),
        ({"DatabaseSecretArn": "arn"}, True),
        ({"AWS::Region": "us-gov-west-1"}, False),
        ({"AWS::Region": "us-gov-west-1", "DatabaseSecretArn": "arn"}, True),
        (OWN_NETWORK, True),
        (SUBNETS, False),
        ({"DatabaseSecretArn": "arn", **SUBNETS}, True),
        ({**OWN_NETWORK, "VpcSecurityGroupIds": [""]}, False),
        ({"VpcId": "vpc-1"}, False),
        ({"GeminiSecretArn": "arn", "DatabaseSecretArn": "arn"}, True),
        ({"GeminiSecretArn": "arn"}, False),
        ({"GeminiSecretArn": "arn", "AnalyzeUploads": "true", "NatGateway": "true"}, True),
        ({"GeminiSecretArn": "arn", **OWN_NETWORK}, True),
        ({"AnalyzeUploads": "true", **OWN_NETWORK}, False),
        ({"AnalyzeUploads": "true", "GeminiSecretArn": "arn", **OWN_NETWORK}, True),
        ({"Edge": "true"}, True),
        ({"DomainName": "images.example.com", "CertificateArn": "arn"}, True),
        ({"DomainName": "images.example.com"}, False),
        ({"CertificateArn": "arn", "Edge": "true"}, False),
        ({"DomainName": "images.example.com", "CertificateArn": "arn", "PublicBaseUrl": "https://a"}, False),
        ({"PublicBaseUrl": "https://a", "Edge": "true"}, True),
        ({"WebAclArn": "arn"}, False),
        ({"WebAclArn": "arn", "Edge": "true"}, True),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(values: dict[str, Any], is_accepted: bool) -> None:
    template, values = read_template(MAIN), {"AWS::Region": "eu-central-1", **values}
    rules = [r for r in template["Rules"].values() if resolve(r["RuleCondition"], template, values)]
    asserted = [resolve(a["Assert"], template, values) for rule in rules for a in rule["Assertions"]]
    assert all(asserted) is is_accepted
