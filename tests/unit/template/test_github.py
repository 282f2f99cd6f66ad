"""Deploys from GitHub: the workflow, and the permissions in infra/github.yaml."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from samcli.yamlhelper import yaml_parse

from tests import ROOT
from tests.support import templates
from tests.support.templates import MAIN, as_list, find, read_template, statements

PATH = ROOT / "infra/github.yaml"
FILES = (ROOT / ".github/workflows").glob("*.yml")
WORKFLOWS = {path.name: yaml_parse(path.read_text(encoding="utf-8")) for path in FILES}
WORKFLOW = WORKFLOWS["ci.yml"]
DEPLOYS = {"deploy-dev": "dev", "deploy-prod": "prod"}
READS = re.compile(r"iam:(Get|List|Tag|Untag|Delete)\w*|iam:UpdateRole")
"""Actions on the stack's own roles that give nobody a permission."""


def named(name: str) -> Iterator[dict[str, Any]]:
    return (statement for owner, statement in statements(PATH) if owner == name)


def test_only_one_environment_of_one_repository_is_trusted() -> None:
    role = find(PATH, "AWS::IAM::Role")["DeployRole"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    issuer = "token.actions.githubusercontent.com"
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Principal"]["Federated"]["Fn::Sub"].endswith(f":oidc-provider/{issuer}")
    subject = {"Fn::Sub": "repo:${Repository}:environment:${Environment}"}
    claims = {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": subject}
    assert trust["Condition"] == {"StringEquals": claims}


def test_the_workflow_reaches_resources_through_cloudformation_alone() -> None:
    _, *granted = named("DeployRole")
    services = {action.partition(":")[0] for statement in granted for action in as_list(statement["Action"])}
    assert services == {"cloudformation", "s3", "iam"}
    for statement in granted:
        if "iam:PassRole" in as_list(statement["Action"]):
            assert statement["Resource"] == {"Fn::GetAtt": ["CloudFormationRole", "Arn"]}
            service = {"iam:PassedToService": "cloudformation.amazonaws.com"}
            assert statement["Condition"] == {"StringEquals": service}
        elif any(action.startswith("s3:") for action in as_list(statement["Action"])):
            assert statement["Resource"] == {"Fn::Sub": "${Artifacts.Arn}/*"}, "this environment's bucket"


def test_permissions_are_given_within_the_boundary() -> None:
    for statement in named("ManageRoles"):
        giving = [action for action in as_list(statement["Action"]) if not READS.fullmatch(action)]
        text = str(statement["Resource"])
        assert "role/image-api-${Environment}-" in text or "role/aws-service-role/" in text
        assert not giving or statement["Condition"]
        if {"iam:CreateRole", "iam:PutRolePolicy"} & set(giving):
            assert statement["Condition"] == {"ArnEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}}
    paths = {role["Path"] for role in find(PATH, "AWS::IAM::Role").values()}
    assert paths == {"/github/"}, "the stack's roles have no path, so these two are not among them"


def test_each_role_of_the_stack_has_the_boundary_which_allows_what_they_do() -> None:
    for name, role in find(MAIN, "AWS::IAM::Role").items():
        assert role["PermissionsBoundary"]["Fn::If"][1] == {"Ref": "PermissionsBoundaryArn"}, name
    allowed = {action for statement in named("Boundary") for action in as_list(statement["Action"])}
    needed = {
        action
        for owner, statement in statements(MAIN)
        if statement["Effect"] == "Allow" and "Principal" not in statement
        for action in as_list(statement["Action"])
    }
    assert len(needed) > 8
    assert needed <= allowed
    assert not [action for action in allowed if action.startswith(("iam:", "sts:"))]


def test_what_an_environment_reads_bears_its_name_or_its_tag() -> None:
    """A role of dev reads no secret, log, row or object of prod, whatever main's policies say."""
    for statement in named("Boundary"):
        if statement["Sid"] == "JoinNetwork":
            assert not [action for action in as_list(statement["Action"]) if not action.startswith("ec2:")]
        elif statement["Sid"] != "ReadYourSecrets":
            assert "Environment" in str(statement["Resource"]) + str(statement.get("Condition")), statement


@pytest.mark.parametrize("name", ["ManageResources", "ManageRoles"])
def test_cloudformation_touches_what_bears_the_name_or_the_tag(name: str) -> None:
    unnamed = {"Anywhere", "CreateServiceLinkedRoles", "DatabaseOwner", "Artifacts"}
    for statement in named(name):
        if statement["Sid"] in unnamed or "Environment" in str(statement.get("Condition")):
            continue
        for resource in as_list(statement["Resource"]):
            # Parameter groups of RDS, and CloudFront's policies, have neither name nor tag.
            shared = (":*:default*", ":*-policy/*", ":origin-access-control/*")
            assert "Environment" in str(resource) or resource["Fn::Sub"].endswith(shared), statement


def test_the_name_of_an_environment_is_not_the_beginning_of_another() -> None:
    """image-api-dev-* would cover the stack image-api-dev-2."""
    pattern = read_template(PATH)["Parameters"]["Environment"]["AllowedPattern"]
    assert [name for name in ("dev", "prod2", "dev-2") if re.fullmatch(pattern, name)] == ["dev", "prod2"]


def test_the_stack_gets_the_tag_and_its_secrets_the_name() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    for environment in DEPLOYS.values():
        assert f"environment={environment}" in config[environment]["deploy"]["parameters"]["tags"].split()
    for name, secret in find(MAIN, "AWS::SecretsManager::Secret").items():
        assert as_list(secret["Name"]["Fn::Sub"])[0].startswith("${AWS::StackName}/"), name


@pytest.mark.parametrize("path", [PATH, ROOT / "infra/budget.yaml"], ids=lambda path: path.name)
def test_what_is_deployed_without_sam_has_no_yaml_aliases(path: Path) -> None:
    """CloudFormation refuses them. SAM CLI resolves those of template.yaml and its nested stacks."""
    tokens = yaml.scan(path.read_text(encoding="utf-8"))
    assert not [token for token in tokens if isinstance(token, yaml.AliasToken | yaml.AnchorToken)]


def test_policies_fit_into_what_iam_accepts() -> None:
    """6,144 characters for a managed policy, with every name at its longest."""
    for name, policy in find(PATH, "AWS::IAM::ManagedPolicy").items():
        text = json.dumps(policy["PolicyDocument"], separators=(",", ":"))
        text = re.sub(r"\$\{(AWS::Region|AWS::AccountId|Environment)\}", "ap-northeast-1", text)
        assert len(text) < 6_144, name


def test_cloudformation_may_make_each_kind_of_resource() -> None:
    """By service. A missing permission would stop a deploy halfway."""
    allowed = {
        action.partition(":")[0]
        for name in ("ManageResources", "ManageRoles")
        for statement in named(name)
        if statement["Sid"] != "Anywhere"
        for action in as_list(statement["Action"])
    }
    for path in {MAIN, *templates.INFRA} - {PATH, ROOT / "infra/budget.yaml"}:
        kinds = {resource["Type"] for resource in templates.expand_template(path).values()}
        services = {kind.split("::")[1].lower() for kind in kinds if kind.startswith("AWS::")}
        assert services <= allowed, path.name


def test_only_deploys_get_a_token_and_only_where_a_role_is_named() -> None:
    jobs, usual = WORKFLOW["jobs"], WORKFLOW["permissions"]
    signing_in = {name for name, job in jobs.items() if job.get("permissions", usual).get("id-token")}
    assert signing_in == set(DEPLOYS)
    for name, environment in DEPLOYS.items():
        variable = f"vars.{environment.upper()}_DEPLOY_ROLE"
        assert (jobs[name]["environment"], jobs[name]["env"]["ENV"]) == (environment, environment)
        assert f"{variable} != ''" in jobs[name]["if"]
        assert jobs[name]["env"]["ROLE"] == f"${{{{ {variable} }}}}"
    # Only main is deployed, after all tests, and to dev first.
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
    assert "samcli deploy" in plan
    assert "samcli build" not in plan

    made = [step for step in jobs["build"]["steps"] if "upload-artifact" in step.get("uses", "")]
    taken = [step for step in jobs[name]["steps"] if "download-artifact" in step.get("uses", "")]
    assert [step["with"]["name"] for step in made] == [step["with"]["name"] for step in taken]


def test_the_workflow_names_the_roles_and_the_bucket_as_the_template_does() -> None:
    names = {name: role["RoleName"]["Fn::Sub"] for name, role in find(PATH, "AWS::IAM::Role").items()}
    assert names["DeployRole"].endswith("-deploy")
    command = WORKFLOW["jobs"]["deploy-dev"]["steps"][-1]["run"]
    ((cut, put),) = re.findall(r"--role-arn \$\{ROLE%(.+?)\}(\S+)\"", command)
    assert names["DeployRole"].removesuffix(cut) + put == names["CloudFormationRole"]
    (bucket,) = re.findall(r"--s3-bucket (.+?) --role-arn", command)
    bucket = bucket.replace("$ENV", "${Environment}").replace("$AWS_REGION", "${AWS::Region}")
    bucket = bucket.replace('$(cut -d: -f5 <<< "$ROLE")', "${AWS::AccountId}")
    assert find(PATH, "AWS::S3::Bucket")["Artifacts"]["BucketName"] == {"Fn::Sub": bucket}


def test_actions_are_pinned_to_commits_and_no_secret_is_used() -> None:
    used = [
        value["uses"] for value in templates.walk(WORKFLOWS) if isinstance(value, dict) and "uses" in value
    ]
    assert used
    for action in used:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action
    assert "secrets." not in str(WORKFLOWS)
