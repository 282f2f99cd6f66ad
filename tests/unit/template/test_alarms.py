"""infra/operations.yaml: alarms that say what they mean, a dashboard of what there is, and a budget."""

import json
import re
from typing import Any

import pytest

from tests.support.templates import MAIN, ROOT, expand_template, find, read_template

PATH = ROOT / "infra/operations.yaml"
ALARMS = find(PATH, "AWS::CloudWatch::Alarm")
OPTIONS = ("HasAnalysis", "HasEdge", "HasWebhooks")
CONDITIONAL = {name for name in ALARMS if expand_template(PATH)[name].get("Condition") in OPTIONS}
DAY = 86_400


def function_of(alarm: dict[str, Any]) -> str:
    """The function that a metric of Lambda belongs to; empty for the account."""
    return "".join(d["Value"]["Ref"] for d in alarm.get("Dimensions", []) if d["Name"] == "FunctionName")


def functions_with(metric: str) -> set[str]:
    return {function_of(alarm) for alarm in ALARMS.values() if alarm["MetricName"] == metric}


def test_each_alarm_has_its_part_in_the_runbook() -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs/operations.md").read_text(encoding="utf-8"), re.M)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert len(ALARMS) > 30
    for name, alarm in ALARMS.items():
        assert alarm["AlarmDescription"].partition("docs/operations.md#")[2] in anchors, name


def test_alarms_and_their_end_are_mailed() -> None:
    for name, alarm in ALARMS.items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "Topic"}], name


def test_errors_of_each_function_are_watched() -> None:
    assert functions_with("Errors") == set(find(MAIN, "AWS::Lambda::Function"))


def test_events_that_lambda_gives_up_are_watched() -> None:
    """Those of the functions with a dead-letter queue: what they are sent must not be lost."""
    functions = find(MAIN, "AWS::Lambda::Function")
    needed = {name for name, function in functions.items() if "DeadLetterConfig" in function}
    assert functions_with("AsyncEventsDropped") == needed != set()


def test_the_accounts_executions_are_watched_without_dimensions() -> None:
    assert functions_with("ClaimedAccountConcurrency") == {""}
    assert "Dimensions" not in ALARMS["AccountConcurrency"]
    quota = 1_000
    assert read_template(MAIN)["Parameters"]["ConcurrencyAlarm"]["Default"] == quota * 8 // 10


@pytest.mark.parametrize("name", ["SweepMissing", "SweepOrphans"])
def test_a_finding_of_the_daily_comparison_lasts_until_the_next(name: str) -> None:
    """One datapoint a day, and none without a finding. The window slides, so one day is too short: a
    comparison that ends a minute later than yesterday's would mail OK and ALARM every day.
    """
    alarm = ALARMS[name]
    assert alarm["Period"] * alarm["EvaluationPeriods"] >= 2 * DAY
    assert alarm["DatapointsToAlarm"] == 1
    assert alarm["TreatMissingData"] == "notBreaching"


def test_memory_is_watched_at_each_size() -> None:
    sizes = read_template(MAIN)["Parameters"]["DatabaseMaxCapacity"]["AllowedValues"]
    memory = read_template(PATH)["Mappings"]["Memory"]
    assert set(memory) == {str(size) for size in sizes}
    for size, values in memory.items():
        share = values["Alarm"] / (int(size) * 2 * 1024**3)
        assert 0.04 < share < 0.06
    assert ALARMS["DatabaseMemory"]["ComparisonOperator"] == "LessThanThreshold"


def test_what_alarms_cost_is_up_to_date() -> None:
    count = len(ALARMS.keys() - CONDITIONAL)
    description = read_template(MAIN)["Parameters"]["Alarms"]["Description"]
    assert f" {count * 0.10:.2f} USD" in description
    row = f"| alarms | 0 | {count * 0.10:.2f} | {count} × 0.10 |"
    assert row in (ROOT / "docs/cost.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("has_analysis", [True, False])
@pytest.mark.parametrize("has_database", [True, False])
def test_the_dashboard_is_json_of_what_there_is(has_analysis: bool, has_database: bool) -> None:
    (dashboard,) = find(PATH, "AWS::CloudWatch::Dashboard").values()
    text, values = dashboard["DashboardBody"]["Fn::Sub"]
    for name, is_there in (("AnalysisDeadLetters", has_analysis), ("Database", has_database)):
        _, with_it, without = values[name]["Fn::If"]
        text = text.replace(f"${{{name}}}", with_it["Fn::Sub"] if is_there else without)
    body = json.loads(re.sub(r"\$\{([^}]+)\}", r"\1", text))
    titles = {widget["properties"]["title"] for widget in body["widgets"]}
    assert len(titles) == 8 + has_database
    assert ("Database" in titles) == has_database
    places = {(widget["x"], widget["y"]) for widget in body["widgets"]}
    assert len(places) == len(titles)
    letters = next(w["properties"] for w in body["widgets"] if w["properties"]["title"] == "Dead letters")
    queues = ["IngestDeadLetterQueue", "SweepDeadLetterQueue", "AnalysisDeadLetterQueue"]
    assert [metric[-1] for metric in letters["metrics"]] == queues[: 2 + has_analysis]


def test_the_stack_passes_each_parameter() -> None:
    passed = find(MAIN, "AWS::CloudFormation::Stack")["Operations"]["Parameters"]
    assert set(passed) == set(read_template(PATH)["Parameters"])


def test_a_budget_writes_at_four_in_five_spent_and_when_the_forecast_exceeds_it() -> None:
    (budget,) = find(PATH, "AWS::Budgets::Budget").values()
    assert expand_template(PATH)["Budget"]["Condition"] == "HasBudget"
    assert budget["Budget"]["BudgetLimit"] == {"Amount": {"Ref": "BudgetUsd"}, "Unit": "USD"}
    told = {}
    for entry in budget["NotificationsWithSubscribers"]:
        notification = entry["Notification"]
        assert notification["ThresholdType"] == "PERCENTAGE"
        assert entry["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": {"Ref": "AlarmEmail"}}]
        told[notification["NotificationType"]] = notification["Threshold"]
    assert told == {"ACTUAL": 80, "FORECASTED": 100}
