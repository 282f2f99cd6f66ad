"""The databases that the stack can create: infra/postgres.yaml and infra/aurora.yaml."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.templates import MAIN, ROOT, Resource, expand_template, find, read_template, resolve

POSTGRES = ROOT / "infra/postgres.yaml"
AURORA = ROOT / "infra/aurora.yaml"
MAIN_RESOURCE = {POSTGRES: "Server", AURORA: "Cluster"}
FILES = pytest.mark.parametrize("path", MAIN_RESOURCE, ids=lambda path: path.stem)


def database(path: Path, **parameters: str) -> Resource:
    """The properties of the server or cluster."""
    found = expand_template(path)[MAIN_RESOURCE[path]]["Properties"]
    properties: Resource = resolve(found, read_template(path), parameters)
    return properties


def max_connections(path: Path) -> int:
    (group,) = [*find(path, "AWS::RDS::DBParameterGroup").values()] or [
        *find(path, "AWS::RDS::DBClusterParameterGroup").values()
    ]
    assert group["Parameters"]["rds.force_ssl"] == "1"
    return int(group["Parameters"]["max_connections"])


@FILES
def test_it_is_encrypted_backed_up_private_and_keeps_its_data(path: Path) -> None:
    made = database(path)
    assert made["StorageEncrypted"] is True
    assert made["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in made
    written = expand_template(path)[MAIN_RESOURCE[path]]["Properties"]
    assert written["BackupRetentionPeriod"] == {"Ref": "BackupRetentionDays"}
    assert written["DeletionProtection"] == {"Ref": "DeletionProtection"}
    assert expand_template(path)[MAIN_RESOURCE[path]]["DeletionPolicy"] == "Snapshot"
    for instance in find(path, "AWS::RDS::DBInstance").values():
        assert instance["PubliclyAccessible"] is False


@FILES
def test_rds_chooses_the_minor_version(path: Path) -> None:
    """A version such as 17.9 is refused one day, for new databases."""
    assert database(path)["EngineVersion"] == "17"


@FILES
def test_both_have_the_same_outputs(path: Path) -> None:
    assert set(read_template(path)["Outputs"]) == {"Host", "SecretArn", "Id"}


def test_an_account_on_the_free_plan_may_create_the_server() -> None:
    """RDS refuses other sizes there, and more than a day of backups."""
    server = database(POSTGRES)
    assert server["DBInstanceClass"] == "db.t4g.micro"
    assert int(server["AllocatedStorage"]) <= 20
    assert not server.get("MultiAZ")
    parameters = read_template(MAIN)["Parameters"]
    assert parameters["Database"]["Default"] == "postgres"
    assert parameters["DatabaseBackupDays"]["Default"] == 1


def test_a_standby_can_take_over_from_the_writer() -> None:
    """Of tier 0 or 1, it has the writer's capacity. Aurora chooses its zone."""
    instances = find(AURORA, "AWS::RDS::DBInstance")
    assert set(instances) == {"Writer", "Standby"}
    assert instances["Standby"] == instances["Writer"]
    assert instances["Standby"]["PromotionTier"] <= 1
    assert "AvailabilityZone" not in instances["Standby"]
    assert expand_template(AURORA)["Standby"]["Condition"] == "CreatesStandby"


def test_the_smallest_aurora_of_production_has_memory_for_its_connections() -> None:
    """About 5 MB each; Aurora's own value would be 1,669 at 8 ACUs."""
    config = (ROOT / "samconfig.toml").read_text(encoding="utf-8").partition("[prod.deploy")[2]
    (smallest,) = re.findall(r'"DatabaseMinCapacity=(.+?)"', config)
    assert max_connections(AURORA) * 5 <= float(smallest) * 2048
    largest = min(read_template(MAIN)["Parameters"]["DatabaseMaxCapacity"]["AllowedValues"])
    assert largest >= 2, "Aurora allows 400 connections from 2 ACUs on"


def test_only_migrate_function_knows_the_owner() -> None:
    """RDS's own user. The others that the functions connect as may do less."""
    readers = {
        name
        for name, resource in expand_template(MAIN).items()
        if re.search(r"(Postgres|Aurora)Stack(\.|\", \")Outputs\.SecretArn", json.dumps(resource))
    }
    assert readers == {"MigrateFunction", "MigrateFunctionRole", "Schema"}


@FILES
def test_a_restored_database_is_that_of_its_snapshot(path: Path) -> None:
    """RDS refuses a version, names, a size or an encryption that are not the snapshot's."""
    made, restored = database(path), database(path, Snapshot="yesterday")
    snapshot: Any = {"DBSnapshotIdentifier", "SnapshotIdentifier"} & restored.keys()
    own = {
        "EngineVersion",
        "MasterUsername",
        "StorageEncrypted",
        "AllocatedStorage",
        "DBName",
        "DatabaseName",
    }

    assert [restored[name] for name in snapshot] == ["yesterday"]
    assert not snapshot & made.keys()
    assert not own & restored.keys()
    assert made.keys() - own == restored.keys() - snapshot
    assert all(made[name] == restored[name] for name in made.keys() - own)


@FILES
def test_another_snapshot_replaces_the_database_and_keeps_the_old_data(path: Path) -> None:
    """A database without a name of ours gets a new one, and so another host."""
    assert not {"DBClusterIdentifier", "DBInstanceIdentifier"} & database(path).keys()
    assert expand_template(path)[MAIN_RESOURCE[path]]["UpdateReplacePolicy"] == "Snapshot"
