"""The network and both databases that the stack can create, packaged by SAM."""

from collections.abc import Mapping

import pytest
from samcli.yamlhelper import yaml_dump, yaml_parse

from tests import ROOT
from tests.deploy.cloud import Cloud

DATABASE = {"Snapshot": "", "BackupRetentionDays": "1", "DeletionProtection": "false"}
AURORA = {"HasStandby": "true", "MinCapacity": "1", "MaxCapacity": "8"}


def create(cloud: Cloud, name: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Create a stack from a file in infra/, whose YAML aliases SAM resolves; returns its outputs."""
    template = yaml_parse((ROOT / f"infra/{name}.yaml").read_text(encoding="utf-8"))
    return cloud.create(f"databases-{name}", yaml_dump(template), parameters)


@pytest.fixture(scope="module")
def network(cloud: Cloud) -> dict[str, str]:
    made = create(cloud, "network", {"EndpointZones": "2", "HasNat": "false", "BucketName": "images"})
    return {**made, "ClientSecurityGroupId": made.pop("FunctionSecurityGroupId")}


@pytest.mark.parametrize(("name", "own"), [("postgres", {}), ("aurora", AURORA)])
def test_each_database_is_created(
    cloud: Cloud, network: dict[str, str], name: str, own: Mapping[str, str]
) -> None:
    made = create(cloud, name, {**network, **DATABASE, **own})

    assert made["Host"].endswith(".us-east-1.rds.amazonaws.com")
    assert made["SecretArn"].startswith("arn:aws:secretsmanager:")
    rds = cloud.client("rds")
    if name == "postgres":
        assert rds.describe_db_instances(DBInstanceIdentifier=made["Id"])["DBInstances"]
    else:
        (cluster,) = rds.describe_db_clusters(DBClusterIdentifier=made["Id"])["DBClusters"]
        assert len(cluster["DBClusterMembers"]) == 2
