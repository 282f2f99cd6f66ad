"""Deploys from GitHub: what the workflow may do, and what infra/github.yaml lets it do."""

import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse

from tests.support.templates import INFRA, MAIN, ROOT, expand_template, find, statements, walk

PATH = ROOT / "infra/github.yaml"
WORKFLOWS = {
    path.name: yaml_parse(path.read_text(encoding="utf-8"))
    for path in (ROOT / ".github/workflows").glob("*.yml")
}
WORKFLOW = WORKFLOWS["ci.yml"]
DEPLOYS = {"deploy-dev": "dev", "deploy-prod": "prod"}
READS = re.compile(r"iam:(Get|List|Tag|Untag|Delete)\w*|iam:Update(Assume)?Role(Policy)?")
"""Actions on the stack's own roles that give nobody a permission."""


def actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return found if isinstance(found, list) else [found]


def named(name: str) -> Iterator[dict[str, Any]]:
    return (statement for owner, statement in statements(PATH) if owner == name)


def test_only_one_environment_of_one_repository_is_trusted() -> None:
    role = find(PATH, "AWS::IAM::Role")["DeployRole"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Principal"]["Federated"]["Fn::Sub"].endswith(f":oidc-provider/{issuer}")
    assert trust["Condition"] == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": {"Fn::Sub": "repo:${Repository}:environment:${Environment}"},
        }
    }


def test_the_workflow_reaches_resources_through_cloudformation_alone() -> None:
    trust, *granted = named("DeployRole")
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    services = {action.partition(":")[0] for statement in granted for action in actions(statement)}
    assert services == {"cloudformation", "s3", "iam"}
    for statement in granted:
        if "iam:PassRole" in actions(statement):
            assert statement["Resource"] == {"Fn::GetAtt": ["CloudFormationRole", "Arn"]}
            service = {"iam:PassedToService": "cloudformation.amazonaws.com"}
            assert statement["Condition"] == {"StringEquals": service}
        elif any(action.startswith("s3:") for action in actions(statement)):
            assert "aws-sam-cli-managed-default" in statement["Resource"]["Fn::Sub"]


def test_permissions_are_given_within_the_boundary() -> None:
    for statement in named("ManageRoles"):
        giving = [action for action in actions(statement) if not READS.fullmatch(action)]
        text = str(statement["Resource"])
        assert "role/image-api-${Environment}-" in text or "role/aws-service-role/" in text
        if "CodeDeployServiceRole" in text and giving == ["iam:CreateRole"]:
            continue
        assert not giving or statement["Condition"]
        if {"iam:CreateRole", "iam:PutRolePolicy"} & set(giving):
            assert statement["Condition"] == {"ArnEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}}
    paths = {role["Path"] for role in find(PATH, "AWS::IAM::Role").values()}
    assert paths == {"/github/"}, "the stack's roles have no path, so these two are not among them"


def test_each_role_of_the_stack_has_the_boundary() -> None:
    for name, role in find(MAIN, "AWS::IAM::Role").items():
        if name != "CodeDeployServiceRole":
            assert role["PermissionsBoundary"]["Fn::If"][1] == {"Ref": "PermissionsBoundaryArn"}, name


def test_the_boundary_allows_what_the_roles_do() -> None:
    allowed = {action for statement in named("Boundary") for action in actions(statement)}
    needed = {
        action
        for owner, statement in statements(MAIN)
        if statement["Effect"] == "Allow" and "Principal" not in statement
        for action in actions(statement)
    }
    assert len(needed) > 8
    assert needed <= allowed
    assert not [action for action in allowed if action.startswith(("iam:", "sts:"))]


def test_cloudformation_may_make_each_kind_of_resource() -> None:
    """By service. What is missing is otherwise found in the middle of a deploy."""
    allowed = {
        action.partition(":")[0]
        for name in ("ManageResources", "ManageRoles")
        for statement in named(name)
        if statement["Sid"] != "Anywhere"
        for action in actions(statement)
    }
    for path in {MAIN, *INFRA} - {PATH}:
        kinds = {resource["Type"] for resource in expand_template(path).values()}
        services = {kind.split("::")[1].lower() for kind in kinds if kind.startswith("AWS::")}
        assert services <= allowed, path.name


@pytest.mark.parametrize("name", WORKFLOW["jobs"])
def test_only_deploys_get_a_token_and_only_where_a_role_is_named(name: str) -> None:
    job = WORKFLOW["jobs"][name]
    may_sign_in = job.get("permissions", WORKFLOW["permissions"]).get("id-token") == "write"
    assert may_sign_in == (name in DEPLOYS)
    if name in DEPLOYS:
        environment = DEPLOYS[name]
        variable = f"vars.{environment.upper()}_DEPLOY_ROLE"
        assert (job["environment"], job["env"]["ENV"]) == (environment, environment)
        assert f"{variable} != ''" in job["if"]
        assert job["env"]["ROLE"] == f"${{{{ {variable} }}}}"
        assert f"[{environment}.deploy.parameters]" in (ROOT / "samconfig.toml").read_text(encoding="utf-8")


def test_main_alone_is_deployed_after_all_tests_and_to_dev_first() -> None:
    jobs = WORKFLOW["jobs"]
    assert set(jobs["deploy-dev"]["needs"]) == set(jobs) - set(DEPLOYS)
    assert "github.ref == 'refs/heads/main'" in jobs["deploy-dev"]["if"]
    assert jobs["deploy-prod"]["needs"] == "deploy-dev"


@pytest.mark.parametrize("name", DEPLOYS)
def test_a_deploy_gets_the_one_build_and_its_tools_before_it_signs_in(name: str) -> None:
    jobs = WORKFLOW["jobs"]
    steps = [step.get("run") or step["uses"].partition("@")[0] for step in jobs[name]["steps"]]
    sign_in = steps.index("aws-actions/configure-aws-credentials")
    assert {"actions/download-artifact", "make .venv/run.stamp"} <= set(steps[:sign_in])
    (deploy,) = steps[sign_in + 1 :]
    command = [*deploy.split()[:3], "--dry-run"]
    plan = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "sam deploy" in plan
    assert "sam build" not in plan

    made = [step for step in jobs["build"]["steps"] if "upload-artifact" in step.get("uses", "")]
    taken = [step for step in jobs[name]["steps"] if "download-artifact" in step.get("uses", "")]
    assert [step["with"]["name"] for step in made] == [step["with"]["name"] for step in taken]


def test_the_workflow_names_the_roles_as_the_template_does() -> None:
    names = {name: role["RoleName"]["Fn::Sub"] for name, role in find(PATH, "AWS::IAM::Role").items()}
    assert names["DeployRole"].endswith("-deploy")
    command = WORKFLOW["jobs"]["deploy-dev"]["steps"][-1]["run"]
    passed = re.findall(r"--role-arn \$\{ROLE%(.+?)\}(\S+)\"", command)
    assert [names["DeployRole"].removesuffix(cut) + put for cut, put in passed] == [
        names["CloudFormationRole"]
    ]


def test_actions_are_pinned_to_commits_and_no_secret_is_used() -> None:
    used = [value["uses"] for value in walk(WORKFLOWS) if isinstance(value, dict) and "uses" in value]
    assert used
    for action in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action
    assert "secrets." not in str(WORKFLOWS)
