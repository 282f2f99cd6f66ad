"""What a restore needs of the templates: a cluster from a snapshot, its schema, and the versions of files."""

import tomllib
from typing import Any

import pytest

from tests.support.templates import (
    MAIN,
    ROOT,
    Resource,
    expand_template,
    find,
    read_template,
    resolve,
    statements,
    walk,
)

VERSION_ACTIONS = {"s3:ListBucketVersions", "s3:GetObjectVersion"}


def resolved(kind: str, path: Any = MAIN, **parameters: str) -> dict[str, Resource]:
    """The properties of all resources of one type, with these parameters."""
    template = read_template(path)
    return {name: resolve(properties, template, parameters) for name, properties in find(path, kind).items()}


def condition(name: str, **parameters: Any) -> bool:
    return bool(resolve({"Condition": name}, read_template(MAIN), parameters))


def test_another_host_runs_the_migrations_with_the_new_owners_password() -> None:
    (schema,) = (r for r in expand_template(MAIN).values() if r["Type"] == "Custom::Schema")
    properties = resolve(schema["Properties"], read_template(MAIN), {})
    host = {"Fn::Sub": "${PostgresStack.Outputs.Host}"}
    owner = {"Fn::GetAtt": ["PostgresStack", "Outputs.SecretArn"]}

    assert properties["Database"] == [host, owner]
    # What it refers to is changed before it: the function, and its role.
    assert properties["ServiceToken"] == {"Fn::GetAtt": ["MigrateFunction", "Arn"]}
    assert owner in list(walk(resolved("AWS::IAM::Role")["MigrateFunctionRole"]))
    variables = resolved("AWS::Lambda::Function")["MigrateFunction"]["Environment"]["Variables"]
    assert variables["DATABASE_SECRET_ARN"] == owner
    assert variables["DB_HOST"] == variables["DATABASE_SERVER"] == host
    assert variables["DB_SERVICE_SECRET_ARN"]


def test_no_function_meets_a_restored_database_before_its_migrations() -> None:
    functions = {n: r for n, r in expand_template(MAIN).items() if r["Type"] == "AWS::Lambda::Function"}
    waiting = {name for name, function in functions.items() if "Schema" in str(function.get("DependsOn"))}
    assert waiting == functions.keys() - {"MigrateFunction", "OutsideFunction"}, "all that use the database"


@pytest.mark.parametrize(
    ("parameters", "made"),
    [
        ({}, {"CreatesPostgres", "CreatesNetwork"}),
        ({"DatabaseSnapshot": "s"}, {"CreatesPostgres", "CreatesNetwork"}),
        ({"Database": "aurora"}, {"CreatesAurora", "Pauses", "CreatesNetwork"}),
        ({"Database": "aurora-with-standby", "DatabaseMinCapacity": 1}, {"CreatesAurora", "CreatesNetwork"}),
        ({"DatabaseSecretArn": "arn"}, set()),
        ({"VpcId": "vpc", "VpcSubnetIds": ["subnet"]}, {"CreatesPostgres"}),
    ],
)
def test_what_the_stack_makes(parameters: dict[str, Any], made: set[str]) -> None:
    names = ("CreatesPostgres", "CreatesAurora", "Pauses", "CreatesNetwork")
    assert {name for name in names if condition(name, **parameters)} == made


def bucket(**parameters: str) -> Resource:
    return resolved("AWS::S3::Bucket", **parameters)["ImageBucket"]


def test_versions_are_kept_only_if_asked_for() -> None:
    assert bucket(Versioning="true")["VersioningConfiguration"] == {"Status": "Enabled"}
    # Not "Suspended": a bucket that never had versions would get delete markers.
    assert "VersioningConfiguration" not in bucket()


def test_production_keeps_them() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert "Versioning=true" in config["prod"]["deploy"]["parameters"]["parameter_overrides"]


DAYS = read_template(MAIN)["Parameters"]["DatabaseBackupDays"]["AllowedValues"]


@pytest.mark.parametrize("days", DAYS)
def test_deleted_originals_outlive_the_backups_that_name_them(days: int) -> None:
    rules = {
        rule["Id"]: rule for rule in bucket(DatabaseBackupDays=str(days))["LifecycleConfiguration"]["Rules"]
    }
    kept = {
        rule["Prefix"]: rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
        for rule in rules.values()
        if "NoncurrentVersionExpiration" in rule
    }
    assert kept == {
        "originals/": days + 1,
        "incoming/": 1,
        "variants/": 1,
        "invalidations/": 1,
        "webhooks/": 1,
    }
    markers = [rule for rule in rules.values() if rule.get("ExpiredObjectDeleteMarker")]
    # S3 refuses this next to a number of days.
    assert [rule.keys() for rule in markers] == [{"Id", "Status", "ExpiredObjectDeleteMarker"}]


def test_only_the_sweep_sees_versions_and_nobody_deletes_one() -> None:
    seen = [
        (name, statement["Action"])
        for name, statement in statements(MAIN)
        if "Version" in str(statement["Action"])
    ]
    assert {name for name, _ in seen} == {"SweepFunctionRole"}
    assert {action for _, action in seen} == VERSION_ACTIONS
    assert condition("KeepsVersions", Versioning="true")
    assert not condition("KeepsVersions")


def test_the_network_lets_versions_through() -> None:
    (endpoint,) = (
        endpoint
        for endpoint in find(ROOT / "infra/network.yaml", "AWS::EC2::VPCEndpoint").values()
        if endpoint["VpcEndpointType"] == "Gateway"
    )
    assert set(endpoint["PolicyDocument"]["Statement"][0]["Action"]) >= VERSION_ACTIONS
