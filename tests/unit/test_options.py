"""The template with its options: what each brings, and what they refuse."""

from pathlib import Path
from typing import Any

import pytest

from infra.options import WAITED_FOR, apply_options
from tests.support.templates import MAIN, expand_template

PUBLIC = {"/", "/docs", "/openapi.json", "/assets/{file}", "/health", "/images/{id}/{variant}", "/{proxy+}"}
TEXT = MAIN.read_text(encoding="utf-8")


def expand(folder: Path, *options: str) -> dict[str, Any]:
    """The resources of the template with these options."""
    path = folder / "template.yaml"
    path.write_text(apply_options(TEXT, list(options)), encoding="utf-8")
    return expand_template(path)


@pytest.mark.parametrize("option", ["alias", "snapstart"])
def test_what_clients_wait_for_is_published(tmp_path: Path, option: str) -> None:
    resources = expand(tmp_path, option)
    snapstart = {"ApplyOn": "PublishedVersions"} if option == "snapstart" else None
    for name in WAITED_FOR:
        assert resources[name]["Properties"].get("SnapStart") == snapstart
        assert resources[f"{name}Aliaslive"]["Properties"]["Name"] == "live"
    versions = [found for found in resources.values() if found["Type"] == "AWS::Lambda::Version"]
    assert len(versions) == len(WAITED_FOR)
    assert {found["DeletionPolicy"] for found in versions} == {"Delete"}, "each old snapshot costs"


def test_each_deploy_publishes_a_new_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for second in (1_000_000_000, 1_000_000_001):
        monkeypatch.setattr("infra.options.time.time_ns", lambda now=second: now * 10**9)
        folder = tmp_path / str(second)
        folder.mkdir()
        resources = expand(folder, "alias")
        names.append({name for name, found in resources.items() if found["Type"] == "AWS::Lambda::Version"})
    assert not names[0] & names[1]


@pytest.mark.parametrize("options", [["usage-plan"], ["alias", "usage-plan"], ["usage-plan", "snapstart"]])
def test_all_routes_but_the_public_ones_need_a_key_and_preflights_none(
    tmp_path: Path, options: list[str]
) -> None:
    paths = expand(tmp_path, *options)["Api"]["Properties"]["Body"]["paths"]
    keyed = {
        path for path, methods in paths.items() if "security" in methods["x-amazon-apigateway-any-method"]
    }
    assert keyed == set(paths) - PUBLIC
    assert all("security" not in paths[path]["options"] for path in keyed)


def test_a_usage_plan_has_the_key_and_the_stage(tmp_path: Path) -> None:
    plain, resources = expand_template(MAIN), expand(tmp_path, "usage-plan")
    assert set(resources) - set(plain) >= {"GatewayKey", "UsagePlan", "GatewayKeyInUsagePlan"}
    assert resources["GatewayKeyInUsagePlan"]["Properties"]["KeyId"] == {"Ref": "GatewayKey"}
    assert resources["UsagePlan"]["DependsOn"] in resources
    assert (
        "INVALID_API_KEY" in resources["Api"]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]
    )


def test_without_options_the_template_stays_as_it_is() -> None:
    assert apply_options(TEXT, []) == TEXT


HEAD = "  {}:\n    Type: AWS::Serverless::Function\n    DependsOn: Schema\n    Properties:\n"


@pytest.mark.parametrize("times", [0, 2])
@pytest.mark.parametrize(
    ("option", "found"),
    [
        ("alias", HEAD.format("ListFunction")),
        ("snapstart", HEAD.format("DeliverFunction")),
        ("usage-plan", "        QUOTA_EXCEEDED: *gateway-throttled\n"),
        ("usage-plan", "\nOutputs:\n"),
    ],
)
def test_a_place_that_is_not_there_once_is_an_error(option: str, found: str, times: int) -> None:
    assert TEXT.count(found) == 1
    with pytest.raises(SystemExit, match=r"template\.yaml should have once"):
        apply_options(TEXT.replace(found, found * times), [option])


def test_a_template_without_routes_is_an_error() -> None:
    with pytest.raises(SystemExit, match="no routes that need a key"):
        apply_options(TEXT.replace("Type: Api,", "Type: Other,"), ["usage-plan"])


def test_a_word_that_is_no_option() -> None:
    with pytest.raises(SystemExit, match="there are alias, snapstart, usage-plan"):
        apply_options(TEXT, ["nothing"])


@pytest.mark.parametrize("options", [["alias", "snapstart"], ["snapstart", "usage-plan", "alias"]])
def test_provisioned_concurrency_beside_snapstart_is_refused(options: list[str]) -> None:
    with pytest.raises(SystemExit, match="takes no provisioned concurrency"):
        apply_options(TEXT, options)


def test_an_option_twice_is_an_error() -> None:
    with pytest.raises(SystemExit, match="should have once"):
        apply_options(TEXT, ["alias", "alias"])
