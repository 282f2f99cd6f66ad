"""The database that the stack makes, and how the functions connect to it or to another one."""

import json
import re
from typing import Any

import pytest

from tests.support.templates import MAIN, ROOT, expand_template, find, read_template

PATH = ROOT / "infra/database.yaml"
RDS_CERTIFICATES = {"Fn::Sub": "/opt/python/imageapi/rds/${AWS::Region}.pem"}
PUBLIC_CERTIFICATES = "/etc/pki/tls/certs/ca-bundle.crt"


def test_it_is_encrypted_backed_up_private_and_speaks_tls() -> None:
    (cluster,) = find(PATH, "AWS::RDS::DBCluster").values()
    (parameters,) = find(PATH, "AWS::RDS::DBClusterParameterGroup").values()
    assert cluster["StorageEncrypted"] is True
    assert cluster["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in cluster
    assert cluster["BackupRetentionPeriod"] == {"Ref": "BackupRetentionDays"}
    assert cluster["DeletionProtection"] == {"Ref": "DeletionProtection"}
    assert parameters["Parameters"]["rds.force_ssl"] == "1"
    assert expand_template(PATH)["Cluster"]["DeletionPolicy"] == "Snapshot"
    for instance in find(PATH, "AWS::RDS::DBInstance").values():
        assert instance["PubliclyAccessible"] is False


def test_a_reader_can_take_over_from_the_writer() -> None:
    """Of tier 0 or 1, it has the writer's capacity. Aurora chooses its zone."""
    instances = find(PATH, "AWS::RDS::DBInstance")
    assert set(instances) == {"Writer", "Reader"}
    assert instances["Reader"] == instances["Writer"]
    assert instances["Reader"]["PromotionTier"] <= 1
    assert "AvailabilityZone" not in instances["Reader"]
    assert expand_template(PATH)["Reader"]["Condition"] == "MakesReader"
    passed = find(MAIN, "AWS::CloudFormation::Stack")["Database"]["Parameters"]
    assert passed["HasReader"] == {"Ref": "DatabaseReader"}


@pytest.mark.parametrize(
    ("version", "is_accepted"), [("17.9", True), ("17.10", True), ("18.1", False), ("17", False)]
)
def test_the_version_is_a_parameter(version: str, is_accepted: bool) -> None:
    parameter = read_template(MAIN)["Parameters"]["DatabaseEngineVersion"]
    assert bool(re.fullmatch(parameter["AllowedPattern"], version)) is is_accepted
    assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"])
    passed = find(MAIN, "AWS::CloudFormation::Stack")["Database"]["Parameters"]
    assert passed["EngineVersion"] == {"Ref": "DatabaseEngineVersion"}
    (cluster,) = find(PATH, "AWS::RDS::DBCluster").values()
    assert cluster["EngineVersion"] == {"Ref": "EngineVersion"}


def choose(value: Any, conditions: dict[str, bool]) -> Any:
    """The branch of nested `Fn::If`s."""
    while isinstance(value, dict) and "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        value = yes if conditions[condition] else no
    return value


@pytest.mark.parametrize("is_made", [True, False])
@pytest.mark.parametrize("mode", ["", "verify-full", "verify-ca", "require", "disable"])
def test_the_server_is_verified_unless_another_mode_is_given(is_made: bool, mode: str) -> None:
    """libpq verifies with `require` too when it has certificates, so then it gets none."""
    variables = read_template(MAIN)["Globals"]["Function"]["Environment"]["Variables"]
    alternatives = read_template(MAIN)["Conditions"]["VerifiesDatabase"]["Fn::Or"]
    verifying = [alternative["Fn::Equals"][1] for alternative in alternatives]
    verifies = mode in verifying
    conditions = {
        "HasSslMode": mode != "",
        "HasSslRootCert": False,
        "UsesMadeDatabase": is_made,
        "VerifiesDatabase": verifies,
    }
    found = choose(variables["DB_SSLMODE"], conditions)
    assert (found if mode == "" else found["Ref"]) == ("verify-full" if mode == "" else "DatabaseSslMode")
    certificates = choose(variables["DB_SSLROOTCERT"], conditions)
    assert verifies == (mode in ("", "verify-full", "verify-ca"))
    assert certificates == ((RDS_CERTIFICATES if is_made else PUBLIC_CERTIFICATES) if verifies else "")


def test_it_lets_the_functions_in_as_its_lesser_user() -> None:
    """Only MigrateFunction uses RDS's own user."""
    owner = "Database.Outputs.SecretArn"
    template = read_template(MAIN)["Resources"]
    readers = {
        name for name, resource in template.items() if owner in json.dumps(resource).replace('", "', ".")
    }
    assert readers == {"MigrateFunction", "MigrateReadsDatabasePassword"}
    assert find(MAIN, "AWS::IAM::Policy")["MigrateReadsDatabasePassword"]["Roles"] == [
        {"Ref": "MigrateFunctionRole"}
    ]
