"""The RDS certificates in the layer, by region. The template's rule refuses other regions."""

import ssl
import time
from typing import Any

import pytest

from tests import ROOT
from tests.support.templates import MAIN, read_template

FOLDER = ROOT / "layers/shared/imageapi/rds"
TEN_YEARS = 10 * 365 * 86_400
(ASSERTION,) = read_template(MAIN)["Rules"]["RegionHasCertificates"]["Assertions"]
REGIONS = ASSERTION["Assert"]["Fn::Contains"][0]


def test_no_region_is_left_out() -> None:
    assert sorted(REGIONS) == sorted(path.stem for path in FOLDER.glob("*.pem"))


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
