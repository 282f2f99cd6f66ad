"""The network that the stack creates, without and with a NAT gateway."""

from tests import ROOT
from tests.support.templates import MAIN, expand_template, find

PATH = ROOT / "infra/network.yaml"


def test_there_is_no_way_out_by_default() -> None:
    kinds = ("Route", "InternetGateway", "VPCGatewayAttachment", "EIP", "NatGateway")
    ways_out = [name for kind in kinds for name in find(PATH, f"AWS::EC2::{kind}")]
    assert len(ways_out) >= len(kinds)
    assert {expand_template(PATH)[name].get("Condition") for name in ways_out} == {"MakesNat"}
    assert find(MAIN, "AWS::Lambda::Function")["OutsideFunction"]["VpcConfig"] == {"Ref": "AWS::NoValue"}


def test_the_private_subnets_go_out_through_the_nat_gateway_and_nothing_has_a_public_address() -> None:
    links = find(PATH, "AWS::EC2::SubnetRouteTableAssociation").values()
    tables = {link["SubnetId"]["Ref"]: link["RouteTableId"] for link in links}
    ((name, nat),) = find(PATH, "AWS::EC2::NatGateway").items()
    routes = find(PATH, "AWS::EC2::Route").values()
    through_nat = [route["RouteTableId"] for route in routes if route.get("NatGatewayId") == {"Ref": name}]
    direct = [route["RouteTableId"] for route in routes if "GatewayId" in route]
    assert direct == [tables[nat["SubnetId"]["Ref"]]]
    for subnet in ("SubnetA", "SubnetB"):
        assert tables[subnet] in through_nat
        assert tables[subnet] not in direct
    assert not any(found["MapPublicIpOnLaunch"] for found in find(PATH, "AWS::EC2::Subnet").values())


def test_no_subnet_is_in_the_zone_without_lambda() -> None:
    """use1-az3. Its name differs from account to account, so no name avoids it."""
    for name in ("SubnetA", "SubnetB"):
        subnet = find(PATH, "AWS::EC2::Subnet")[name]
        no_value = {"Ref": "AWS::NoValue"}
        assert subnet["AvailabilityZone"]["Fn::If"][:2] == ["IsUsEast1", no_value]
        condition, zone_id, otherwise = subnet["AvailabilityZoneId"]["Fn::If"]
        assert (condition, otherwise) == ("IsUsEast1", no_value)
        assert zone_id in {"use1-az1", "use1-az2", "use1-az4", "use1-az6"}
