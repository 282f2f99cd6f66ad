"""A restore, in the templates: a cluster from a snapshot, its schema, and the versions of files."""

import tomllib
from typing import Any

import pytest

from tests import ROOT
from tests.support.templates import MAIN, Resource, expand_template, find, read_template, resolve

TEMPLATE = read_template(MAIN)


def resolved(kind: str, **parameters: str) -> dict[str, Resource]:
    """The properties of all resources of one type, with these parameters."""
    return {name: resolve(value, TEMPLATE, parameters) for name, value in find(MAIN, kind).items()}


def test_another_host_runs_the_migrations_with_the_new_owners_password() -> None:
    (schema,) = resolved("Custom::Schema").values()
    host = {"Fn::Sub": "${PostgresStack.Outputs.Host}"}
    owner = {"Fn::GetAtt": ["PostgresStack", "Outputs.SecretArn"]}

    assert schema["Database"] == [host, owner]
    # CloudFormation updates the resources that it refers to before it.
    assert schema["ServiceToken"] == {"Fn::GetAtt": ["MigrateFunction", "Arn"]}
    variables = resolved("AWS::Lambda::Function")["MigrateFunction"]["Environment"]["Variables"]
    assert variables["DATABASE_SECRET_ARN"] == owner
    assert variables["DB_HOST"] == variables["DATABASE_SERVER"] == host


def test_no_function_meets_a_restored_database_before_its_migrations() -> None:
    functions = {n: r for n, r in expand_template(MAIN).items() if r["Type"] == "AWS::Lambda::Function"}
    waiting = {name for name, function in functions.items() if "Schema" in str(function.get("DependsOn"))}
    assert waiting == functions.keys() - {"MigrateFunction", "OutsideFunction"}, "all that use the database"


@pytest.mark.parametrize(
    ("parameters", "made"),
    [
        ({"DatabaseSnapshot": "s"}, {"CreatesPostgres", "CreatesNetwork"}),
        ({"Database": "aurora"}, {"CreatesAurora", "Pauses", "CreatesNetwork"}),
        ({"Database": "aurora-with-standby", "DatabaseMinCapacity": 1}, {"CreatesAurora", "CreatesNetwork"}),
        ({"DatabaseSecretArn": "arn"}, set()),
        ({"VpcId": "vpc", "VpcSubnetIds": ["subnet"]}, {"CreatesPostgres"}),
    ],
)
def test_what_the_stack_makes(parameters: dict[str, Any], made: set[str]) -> None:
    names = ("CreatesPostgres", "CreatesAurora", "Pauses", "CreatesNetwork")
    assert {name for name in names if resolve({"Condition": name}, TEMPLATE, parameters)} == made


def test_versions_are_kept_only_if_asked_for_as_in_production() -> None:
    assert "VersioningConfiguration" not in resolved("AWS::S3::Bucket")["ImageBucket"]
    kept = resolved("AWS::S3::Bucket", Versioning="true")["ImageBucket"]
    assert kept["VersioningConfiguration"] == {"Status": "Enabled"}
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert "Versioning=true" in config["prod"]["deploy"]["parameters"]["parameter_overrides"]


@pytest.mark.parametrize("days", TEMPLATE["Parameters"]["DatabaseBackupDays"]["AllowedValues"])
def test_deleted_originals_outlive_the_backups_that_name_them(days: int) -> None:
    bucket = resolved("AWS::S3::Bucket", DatabaseBackupDays=str(days))["ImageBucket"]
    rules, name = bucket["LifecycleConfiguration"]["Rules"], "NoncurrentVersionExpiration"
    kept = {rule["Prefix"]: rule[name]["NoncurrentDays"] for rule in rules if name in rule}
    others = ("incoming/", "variants/", "invalidations/", "webhooks/")
    assert kept == {"originals/": days + 1} | dict.fromkeys(others, 1)
    assert [rule["ExpirationInDays"] for rule in rules if rule.get("Prefix") == "invalidations/"] == [1]
    markers = [rule for rule in rules if rule.get("ExpiredObjectDeleteMarker")]
    # S3 refuses this next to a number of days.
    assert [rule.keys() for rule in markers] == [{"Id", "Status", "ExpiredObjectDeleteMarker"}]


def test_the_network_lets_versions_through() -> None:
    endpoints = find(ROOT / "infra/network.yaml", "AWS::EC2::VPCEndpoint").values()
    (gateway,) = (endpoint for endpoint in endpoints if endpoint["VpcEndpointType"] == "Gateway")
    allowed = gateway["PolicyDocument"]["Statement"][0]["Action"]
    assert {"s3:ListBucketVersions", "s3:GetObjectVersion"} <= set(allowed)
