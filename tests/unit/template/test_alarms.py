"""infra/operations.yaml: alarms with a runbook for each resource, and a dashboard."""

import json
import re

import pytest

from tests import ROOT
from tests.support.templates import MAIN, expand_template, find, read_template, resolve

PATH = ROOT / "infra/operations.yaml"
ALARMS = find(PATH, "AWS::CloudWatch::Alarm")
DATABASES = {"postgres": "DatabaseInstance", "aurora": "DatabaseCluster"}
NONE = dict.fromkeys(DATABASES.values(), "")


def test_each_alarm_and_its_end_is_mailed_and_has_its_part_in_the_runbook() -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs/operations.md").read_text(encoding="utf-8"), re.M)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    for name, alarm in ALARMS.items():
        assert alarm["AlarmDescription"].partition("docs/operations.md#")[2] in anchors, name
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "Topic"}], name


def test_errors_of_each_function_are_watched() -> None:
    watched = [alarm["Dimensions"] for alarm in ALARMS.values() if alarm.get("MetricName") == "Errors"]
    functions = find(MAIN, "AWS::Lambda::Function")
    assert sorted(value["Value"]["Ref"] for (value,) in watched) == sorted(functions)


@pytest.mark.parametrize("name", ["SweepMissing", "SweepOrphans"])
def test_a_finding_of_the_daily_comparison_lasts_until_the_next(name: str) -> None:
    """The window slides, so one day is too short: a comparison that ends a minute later than yesterday's
    would mail OK and ALARM every day.
    """
    assert ALARMS[name]["Period"] * ALARMS[name]["EvaluationPeriods"] >= 2 * 86_400
    assert ALARMS[name]["DatapointsToAlarm"] == 1


@pytest.mark.parametrize(("kind", "parameter"), DATABASES.items())
def test_the_database_is_watched_whichever_it_is(kind: str, parameter: str) -> None:
    template, parameters = read_template(PATH), NONE | {parameter: "d"}
    alarm = resolve(ALARMS["DatabaseConnections"], template, parameters)
    (group,) = (
        resource["Properties"]["Parameters"]
        for resource in expand_template(ROOT / f"infra/{kind}.yaml").values()
        if resource["Type"].endswith("ParameterGroup")
    )
    named = {"Name": f"DB{parameter.removeprefix('Database')}Identifier", "Value": "d"}
    assert alarm["Dimensions"][0] == named
    assert alarm["Threshold"] == int(group["max_connections"]) * 8 // 10
    assert resolve({"Condition": "HasDatabase"}, template, parameters)
    assert not resolve({"Condition": "HasDatabase"}, template, NONE)


def test_what_alarms_cost_is_up_to_date() -> None:
    """In production: with CloudFront, without analysis. An alarm costs by the metrics that it reads."""
    metrics = sum(
        sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1
        for name, alarm in ALARMS.items()
        if name != "GeminiFailures"
    )
    assert f" {metrics * 0.10:.2f} USD" in read_template(MAIN)["Parameters"]["Alarms"]["Description"]
    row = f"| alarms | 0 | {metrics * 0.10:.2f} | {metrics} × 0.10 |"
    assert row in (ROOT / "docs/cost.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("parameter", ["", *DATABASES.values()])
def test_the_dashboard_is_json_of_what_there_is(parameter: str) -> None:
    (dashboard,) = find(PATH, "AWS::CloudWatch::Dashboard").values()
    text, values = dashboard["DashboardBody"]["Fn::Sub"]
    database = resolve(values["Database"], read_template(PATH), NONE | {parameter: "d"})
    text = text.replace("${Database}", database["Fn::Sub"] if parameter else database)
    widgets = json.loads(re.sub(r"\$\{([^}]+)\}", r"\1", text))["widgets"]
    assert len({(widget["x"], widget["y"]) for widget in widgets}) == 8 + bool(parameter)
