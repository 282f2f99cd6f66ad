"""The network that the stack makes, without and with a NAT gateway."""

from tests.support.templates import ROOT, expand_template, find, read_template

PATH = ROOT / "infra/network.yaml"
ANYWHERE = "0.0.0.0/0"


def conditions(*names: str) -> set[str | None]:
    return {expand_template(PATH)[name].get("Condition") for name in names}


def test_there_is_no_way_out_by_default() -> None:
    routes = find(PATH, "AWS::EC2::Route")
    assert conditions(*routes) == {"MakesNat"}
    kinds = ("InternetGateway", "VPCGatewayAttachment", "EIP", "NatGateway")
    assert conditions(*(name for kind in kinds for name in find(PATH, f"AWS::EC2::{kind}"))) == {"MakesNat"}


def test_the_private_subnets_go_out_through_the_nat_gateway() -> None:
    routes = find(PATH, "AWS::EC2::Route")
    tables = {
        link["SubnetId"]["Ref"]: link["RouteTableId"]["Ref"]
        for link in find(PATH, "AWS::EC2::SubnetRouteTableAssociation").values()
    }
    (nat,) = find(PATH, "AWS::EC2::NatGateway").values()
    public = nat["SubnetId"]["Ref"]
    ways_out = {route["RouteTableId"]["Ref"]: route for route in routes.values()}
    assert {route["DestinationCidrBlock"] for route in routes.values()} == {ANYWHERE}
    assert "GatewayId" in ways_out[tables[public]]
    for private in ("SubnetA", "SubnetB"):
        assert ways_out[tables[private]]["NatGatewayId"] == {"Ref": "Nat"}
    assert nat["AllocationId"] == {"Fn::GetAtt": ["NatAddress", "AllocationId"]}


def test_nothing_gets_a_public_address_by_itself() -> None:
    for subnet in find(PATH, "AWS::EC2::Subnet").values():
        assert subnet["MapPublicIpOnLaunch"] is False


def test_no_subnet_is_in_the_zone_without_lambda() -> None:
    """use1-az3. Its name differs from account to account, so no name avoids it."""
    template = read_template(PATH)
    for name in ("SubnetA", "SubnetB"):
        subnet = find(PATH, "AWS::EC2::Subnet")[name]
        zone, zone_id = subnet["AvailabilityZone"]["Fn::If"], subnet["AvailabilityZoneId"]["Fn::If"]
        assert zone[:2] == ["IsUsEast1", {"Ref": "AWS::NoValue"}]
        assert zone_id[2] == {"Ref": "AWS::NoValue"}
        assert zone_id[1] in {"use1-az1", "use1-az2", "use1-az4", "use1-az6"}
    assert template["Conditions"]["IsUsEast1"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
