"""infra/operations.yaml: alarms that say what they mean, and a dashboard; infra/budget.yaml."""

import json
import re
from typing import Any

import pytest

from tests.support.templates import MAIN, ROOT, expand_template, find, read_template, resolve

PATH = ROOT / "infra/operations.yaml"
ALARMS = find(PATH, "AWS::CloudWatch::Alarm")
DATABASES = {"postgres": "DatabaseInstance", "aurora": "DatabaseCluster"}
DAY = 86_400


def function_of(alarm: dict[str, Any]) -> str:
    """The function that a metric of Lambda belongs to; empty for the account."""
    return "".join(d["Value"]["Ref"] for d in alarm.get("Dimensions", []) if d["Name"] == "FunctionName")


def functions_with(metric: str) -> set[str]:
    return {function_of(alarm) for alarm in ALARMS.values() if alarm.get("MetricName") == metric}


def test_each_alarm_has_its_part_in_the_runbook() -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs/operations.md").read_text(encoding="utf-8"), re.M)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert len(ALARMS) > 20
    for name, alarm in ALARMS.items():
        assert alarm["AlarmDescription"].partition("docs/operations.md#")[2] in anchors, name


def test_alarms_and_their_end_are_mailed() -> None:
    for name, alarm in ALARMS.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "Topic"}], name


def test_errors_of_each_function_are_watched() -> None:
    assert functions_with("Errors") == set(find(MAIN, "AWS::Lambda::Function"))


def test_the_accounts_executions_are_compared_with_its_quota() -> None:
    """As in AWS's guide to Lambda: the share that cannot be used on demand."""
    claimed, executions, share = ALARMS["AccountConcurrency"]["Metrics"]
    assert share["Expression"] == "100 * claimed / SERVICE_QUOTA(executions)"
    for metric, name in ((claimed, "ClaimedAccountConcurrency"), (executions, "ConcurrentExecutions")):
        assert metric["MetricStat"]["Metric"] == {"Namespace": "AWS/Lambda", "MetricName": name}
        assert metric["ReturnData"] is False


@pytest.mark.parametrize("name", ["SweepMissing", "SweepOrphans"])
def test_a_finding_of_the_daily_comparison_lasts_until_the_next(name: str) -> None:
    """One datapoint a day, and none without a finding. The window slides, so one day is too short: a
    comparison that ends a minute later than yesterday's would mail OK and ALARM every day.
    """
    alarm = ALARMS[name]
    assert alarm["Period"] * alarm["EvaluationPeriods"] >= 2 * DAY
    assert alarm["DatapointsToAlarm"] == 1
    assert alarm["TreatMissingData"] == "notBreaching"


@pytest.mark.parametrize(("kind", "parameter"), DATABASES.items())
def test_the_database_is_watched_whichever_it_is(kind: str, parameter: str) -> None:
    template = read_template(PATH)
    parameters = {"DatabaseInstance": "", "DatabaseCluster": "", parameter: "d"}
    alarm = resolve(ALARMS["DatabaseConnections"], template, parameters)
    groups = [
        resource["Properties"]
        for resource in expand_template(ROOT / f"infra/{kind}.yaml").values()
        if resource["Type"].endswith("ParameterGroup")
    ]
    assert alarm["Dimensions"][0]["Name"] == f"DB{parameter.removeprefix('Database')}Identifier"
    assert alarm["Dimensions"][0]["Value"] == "d"
    assert alarm["Threshold"] == int(groups[0]["Parameters"]["max_connections"]) * 8 // 10
    assert resolve({"Condition": "HasDatabase"}, template, parameters)
    assert not resolve({"Condition": "HasDatabase"}, template, {**parameters, parameter: ""})


def test_what_alarms_cost_is_up_to_date() -> None:
    """In production: with CloudFront, without analysis. An alarm costs by the metrics that it reads."""
    metrics = sum(
        sum("MetricStat" in metric for metric in alarm.get("Metrics", [])) or 1
        for name, alarm in ALARMS.items()
        if name != "GeminiFailures"
    )
    description = read_template(MAIN)["Parameters"]["Alarms"]["Description"]
    assert f" {metrics * 0.10:.2f} USD" in description
    row = f"| alarms | 0 | {metrics * 0.10:.2f} | {metrics} × 0.10 |"
    assert row in (ROOT / "docs/cost.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("parameter", ["", *DATABASES.values()])
def test_the_dashboard_is_json_of_what_there_is(parameter: str) -> None:
    (dashboard,) = find(PATH, "AWS::CloudWatch::Dashboard").values()
    text, values = dashboard["DashboardBody"]["Fn::Sub"]
    parameters = {"DatabaseInstance": "", "DatabaseCluster": "", parameter: "d"}
    database = resolve(values["Database"], read_template(PATH), parameters)
    text = text.replace("${Database}", database["Fn::Sub"] if parameter else database)
    body = json.loads(re.sub(r"\$\{([^}]+)\}", r"\1", text))
    titles = {widget["properties"]["title"] for widget in body["widgets"]}
    assert len(titles) == 8 + bool(parameter)
    assert len({(widget["x"], widget["y"]) for widget in body["widgets"]}) == len(titles)


def test_no_stack_of_the_template_makes_a_budget() -> None:
    """Budgets do not exist in eleven of the regions, and a template that names one is refused there."""
    stacks = find(MAIN, "AWS::CloudFormation::Stack").values()
    for path in [MAIN, *(ROOT / stack["TemplateURL"] for stack in stacks)]:
        assert not find(path, "AWS::Budgets::Budget"), path.name


def test_a_budget_writes_at_four_in_five_spent_and_when_the_forecast_exceeds_it() -> None:
    (budget,) = find(ROOT / "infra/budget.yaml", "AWS::Budgets::Budget").values()
    assert budget["Budget"]["BudgetLimit"] == {"Amount": {"Ref": "Usd"}, "Unit": "USD"}
    told = {}
    for entry in budget["NotificationsWithSubscribers"]:
        notification = entry["Notification"]
        assert notification["ThresholdType"] == "PERCENTAGE"
        assert entry["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": {"Ref": "Email"}}]
        told[notification["NotificationType"]] = notification["Threshold"]
    assert told == {"ACTUAL": 80, "FORECASTED": 100}
