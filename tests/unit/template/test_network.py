"""The network that the stack makes, without and with a NAT gateway."""

from tests.support.templates import MAIN, ROOT, expand_template, find

PATH = ROOT / "infra/network.yaml"
ANYWHERE = "0.0.0.0/0"


def conditions(*names: str) -> set[str | None]:
    return {expand_template(PATH)[name].get("Condition") for name in names}


def test_there_is_no_way_out_by_default() -> None:
    routes = find(PATH, "AWS::EC2::Route")
    assert conditions(*routes) == {"MakesNat"}
    kinds = ("InternetGateway", "VPCGatewayAttachment", "EIP", "NatGateway")
    assert conditions(*(name for kind in kinds for name in find(PATH, f"AWS::EC2::{kind}"))) == {"MakesNat"}
    passed = find(MAIN, "AWS::CloudFormation::Stack")["Network"]["Parameters"]
    assert passed["HasNat"] == {"Ref": "NatGateway"}


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
