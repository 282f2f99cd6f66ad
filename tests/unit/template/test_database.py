"""The databases that the stack can create: infra/postgres.yaml and infra/aurora.yaml."""

import re
from pathlib import Path

import pytest

from tests import ROOT
from tests.support.templates import MAIN, Resource, expand_template, find, read_template, resolve

AURORA = ROOT / "infra/aurora.yaml"
MAIN_RESOURCE = {ROOT / "infra/postgres.yaml": "Server", AURORA: "Cluster"}
FILES = pytest.mark.parametrize("path", MAIN_RESOURCE, ids=lambda path: path.stem)


def database(path: Path, **parameters: str) -> Resource:
    """The properties of the server or cluster."""
    found = expand_template(path)[MAIN_RESOURCE[path]]["Properties"]
    properties: Resource = resolve(found, read_template(path), parameters)
    return properties


def parameter_group(path: Path) -> Resource:
    groups = find(path, "AWS::RDS::DBParameterGroup") or find(path, "AWS::RDS::DBClusterParameterGroup")
    (group,) = groups.values()
    parameters: Resource = group["Parameters"]
    return parameters


@FILES
def test_it_is_encrypted_backed_up_private_and_keeps_its_data(path: Path) -> None:
    made = database(path, BackupRetentionDays="7", DeletionProtection="true")
    assert made["StorageEncrypted"] is made["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in made
    assert (made["BackupRetentionPeriod"], made["DeletionProtection"]) == ("7", "true")
    assert parameter_group(path)["rds.force_ssl"] == "1"
    assert not any(found["PubliclyAccessible"] for found in find(path, "AWS::RDS::DBInstance").values())
    # Without a name of ours, a database that replaces another gets a new name, and so another host.
    assert not {"DBClusterIdentifier", "DBInstanceIdentifier"} & made.keys()
    resource = expand_template(path)[MAIN_RESOURCE[path]]
    assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Snapshot"


def test_a_standby_can_take_over_from_the_writer() -> None:
    """In tier 0 or 1, it has the writer's capacity. Aurora chooses its zone."""
    instances = find(AURORA, "AWS::RDS::DBInstance")
    assert instances["Standby"] == instances["Writer"]
    assert instances["Standby"]["PromotionTier"] <= 1
    assert "AvailabilityZone" not in instances["Standby"]


def test_the_smallest_aurora_of_production_has_memory_for_its_connections() -> None:
    """About 5 MB each; Aurora's own value would be 1,669 at 8 ACUs."""
    config = (ROOT / "samconfig.toml").read_text(encoding="utf-8").partition("[prod.deploy")[2]
    (smallest,) = re.findall(r'"DatabaseMinCapacity=(.+?)"', config)
    assert int(parameter_group(AURORA)["max_connections"]) * 5 <= float(smallest) * 2048
    largest = min(read_template(MAIN)["Parameters"]["DatabaseMaxCapacity"]["AllowedValues"])
    assert largest >= 2, "Aurora allows 400 connections from 2 ACUs on"


@FILES
def test_a_restored_database_is_that_of_its_snapshot(path: Path) -> None:
    """RDS refuses a version, names, a size or an encryption that differ from the snapshot's."""
    made, restored = database(path), database(path, Snapshot="yesterday")
    (snapshot,) = {"DBSnapshotIdentifier", "SnapshotIdentifier"} & restored.keys()
    own = {
        "EngineVersion",
        "MasterUsername",
        "StorageEncrypted",
        "AllocatedStorage",
        "DBName",
        "DatabaseName",
    }
    assert restored.pop(snapshot) == "yesterday"
    assert restored == {name: value for name, value in made.items() if name not in own}
