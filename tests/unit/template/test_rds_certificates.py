"""The RDS certificates in the layer, by region."""

import ssl
import time
from typing import Any

import pytest

from tests.support.templates import MAIN, ROOT, read_template, resolve

FOLDER = ROOT / "layers/shared/imageapi/rds"
REGIONS = sorted(path.stem for path in FOLDER.glob("*.pem"))
TEN_YEARS = 10 * 365 * 86_400


def test_other_regions_are_refused_before_anything_is_made() -> None:
    """Without its certificates, the schema would fail after a quarter of an hour."""
    rule = read_template(MAIN)["Rules"]["RegionHasCertificates"]
    (assertion,) = rule["Assertions"]
    allowed, region = assertion["Assert"]["Fn::Contains"]
    assert region == {"Ref": "AWS::Region"}
    assert sorted(allowed) == REGIONS
    assert resolve(rule["RuleCondition"], read_template(MAIN), {})
    assert not resolve(rule["RuleCondition"], read_template(MAIN), {"DatabaseSecretArn": "arn"}), "not ours"


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_has_its_three_roots(region: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(FOLDER / f"{region}.pem")
    roots: Any = context.get_ca_certs()

    names = sorted(dict(part[0] for part in root["subject"])["commonName"] for root in roots)
    assert names == [f"Amazon RDS {region} Root CA {kind} G1" for kind in ("ECC384", "RSA2048", "RSA4096")]
    for root in roots:
        assert root["subject"] == root["issuer"]
        assert ssl.cert_time_to_seconds(root["notAfter"]) > time.time() + TEN_YEARS
