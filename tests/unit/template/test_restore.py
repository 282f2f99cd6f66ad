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
    host = {"Fn::GetAtt": ["Database", "Outputs.Host"]}
    owner = {"Fn::GetAtt": ["Database", "Outputs.SecretArn"]}

    assert properties["Database"] == host
    # What it refers to is changed before it: the function, and its permission to read the secret.
    assert properties["ServiceToken"] == {"Fn::GetAtt": ["MigrateFunction", "Arn"]}
    assert properties["Permission"] == {"Ref": "MigrateReadsDatabasePassword"}
    assert owner in list(walk(resolved("AWS::IAM::Policy")["MigrateReadsDatabasePassword"]))
    variables = resolved("AWS::Lambda::Function")["MigrateFunction"]["Environment"]["Variables"]
    assert variables["DATABASE_SECRET_ARN"] == owner
    assert variables["DB_HOST"] == {"Fn::Sub": "${Database.Outputs.Host}"}
    assert variables["DB_SERVICE_SECRET_ARN"]


def test_no_function_meets_a_restored_database_before_its_migrations() -> None:
    functions = {n: r for n, r in expand_template(MAIN).items() if r["Type"] == "AWS::Lambda::Function"}
    waiting = {name for name, function in functions.items() if "Schema" in str(function.get("DependsOn"))}
    assert waiting == functions.keys() - {"MigrateFunction", "OutsideFunction"}, "all that use the database"


@pytest.mark.parametrize(
    ("parameters", "made"),
    [
        ({}, {"MakesDatabase", "MakesNetwork"}),
        ({"DatabaseSnapshot": "s"}, {"MakesDatabase", "MakesNetwork"}),
        ({"DatabaseHost": "db"}, set()),
        ({"DatabaseHost": "proxy", "KeepDatabase": "true"}, {"MakesDatabase", "MakesNetwork"}),
        ({"DatabaseHost": "db", "KeepNetwork": "true"}, {"MakesNetwork"}),
        ({"VpcId": "vpc", "VpcSubnetIds": ["subnet"]}, {"MakesDatabase"}),
        ({"DatabaseHost": "proxy", "KeepDatabase": "true", "VpcSubnetIds": ["subnet"]}, {"MakesDatabase"}),
        ({"DatabaseHost": "db", "KeepNetwork": "true", "VpcSubnetIds": ["subnet"]}, set()),
    ],
)
def test_what_the_stack_makes(parameters: dict[str, Any], made: set[str]) -> None:
    assert {name for name in ("MakesDatabase", "MakesNetwork") if condition(name, **parameters)} == made


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
    users = {name: statement for name, statement in statements(MAIN) if "Version" in str(statement["Action"])}
    assert users.keys() == {"ReadVersions"}
    policy = expand_template(MAIN)["ReadVersions"]
    assert policy["Condition"] == "KeepsVersions"
    assert policy["Properties"]["Roles"] == [{"Ref": "SweepFunctionRole"}]
    actions = {statement["Action"] for statement in policy["Properties"]["PolicyDocument"]["Statement"]}
    assert actions == VERSION_ACTIONS
    assert condition("KeepsVersions", Versioning="true")
    assert not condition("KeepsVersions")


def test_the_network_lets_versions_through() -> None:
    (endpoint,) = (
        endpoint
        for endpoint in find(ROOT / "infra/network.yaml", "AWS::EC2::VPCEndpoint").values()
        if endpoint["VpcEndpointType"] == "Gateway"
    )
    assert set(endpoint["PolicyDocument"]["Statement"][0]["Action"]) >= VERSION_ACTIONS
