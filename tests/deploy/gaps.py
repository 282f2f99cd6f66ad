"""Gaps of the emulator, each with the reason. A pytest plugin: ``-p tests.deploy.gaps``.

A test listed here still runs and must fail. Once the emulator supports it and it passes, remove it from the
list.
"""

import pytest

TESTS: dict[str, str] = {}
"""Tests of tests/e2e, by id prefix."""

COMMANDS = {
    "sam delete": "reads nested templates from addresses that begin with https://s3; the emulator's do not. "
    "The stack is deleted by CloudFormation's DeleteStack, which sam delete calls as well.",
}

RESOURCES = {
    "AWS::RDS::DBInstance and DBCluster": "are recorded without a server; test_databases.py creates both. "
    "The functions use the tests' own server, with DatabaseSecretArn.",
    "AWS::EC2::NatGateway, AWS::Budgets::Budget, AWS::IAM::OIDCProvider": "are unknown to it: "
    "NatGateway=true, infra/budget.yaml and the provider of infra/github.yaml are linted and checked only.",
    "aws:ResourceTag": "is a condition it does not know, so those of infra/github.yaml are only checked.",
    "AWS::EC2::VPCEndpoint": "is recorded and routes nothing, so the functions are not put into a network.",
    "ManageMasterUserPassword": "RDS makes that secret; the tests make one of the same form.",
}
"""Everything else is deployed there. The list is documentation; no test uses it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the listed tests; a name that matches no test is an error."""
    for name, reason in TESTS.items():
        found = [item for item in items if item.nodeid.startswith(name)]
        if not found:
            raise pytest.UsageError(f"tests/deploy/gaps.py names {name}, and there is no such test.")
        for item in found:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
