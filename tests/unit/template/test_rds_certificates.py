"""The RDS certificates in the layer, by region."""

import ssl
import time
from typing import Any

import pytest

from tests.support.templates import ROOT

FOLDER = ROOT / "layers/shared/imageapi/rds"
REGIONS = sorted(path.stem for path in FOLDER.glob("*.pem"))
TEN_YEARS = 10 * 365 * 86_400


def test_the_regions_that_most_use_are_there() -> None:
    assert {"us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-northeast-1"} <= set(REGIONS)


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
