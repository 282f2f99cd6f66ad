"""The log lines from which CloudWatch reads metrics."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aws_lambda_powertools.metrics import MetricUnit
from imageapi.config.settings import get_settings, load_settings
from imageapi.events.run_event import run_event
from imageapi.telemetry import metrics

from tests.support.events import LambdaContext
from tests.support.settings import use_settings

REQUIRED = {
    "DB_HOST": "db.invalid",
    "MINIO_ACCESS_KEY": "a",
    "MINIO_SECRET_KEY": "b",
    "MINIO_BUCKET_NAME": "images",
}


@pytest.fixture(autouse=True)
def namespace(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    metrics._pending.clear()
    with use_settings(monkeypatch, {**REQUIRED, "METRICS_NAMESPACE": "Test"}):
        yield
    metrics._pending.clear()


def read_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def directive(line: dict[str, Any]) -> dict[str, Any]:
    (found,) = line["_aws"]["CloudWatchMetrics"]
    return dict(found)


def test_a_request(capsys: pytest.CaptureFixture[str]) -> None:
    metrics.add_metric("Uploads")
    metrics.add_metric("UploadedBytes", 1000, MetricUnit.Bytes)
    metrics.add_metric("UploadedBytes", 500, MetricUnit.Bytes)

    metrics.record_request("image-api-UploadFunction-A1b2C3d4E5f6", 201, 12.5)

    by_status, by_function = read_lines(capsys)
    assert directive(by_status)["Namespace"] == "Test"
    assert directive(by_status)["Dimensions"] == [["function", "status"]]
    assert (by_status["function"], by_status["status"]) == ("UploadFunction", "2xx")
    assert by_status["Requests"] == [1]
    assert directive(by_function)["Dimensions"] == [["function"]]
    assert (by_function["Uploads"], by_function["UploadedBytes"]) == ([1], [1500])
    assert by_function["Latency"] == [12.5]
    units = {entry["Name"]: entry["Unit"] for entry in directive(by_function)["Metrics"]}
    assert units == {"Uploads": "Count", "UploadedBytes": "Bytes", "Latency": "Milliseconds"}


@pytest.mark.parametrize(("status", "counted"), [(401, ["401"]), (403, ["403"]), (404, []), (200, [])])
def test_refusals_are_counted_for_all_functions_together(
    capsys: pytest.CaptureFixture[str], status: int, counted: list[str]
) -> None:
    metrics.record_request("image-api-ListFunction-A1b2C3d4E5f6", status, 1)

    lines = [line for line in read_lines(capsys) if "Refused" in line]
    assert [line["status"] for line in lines] == counted
    assert all(directive(line)["Dimensions"] == [["status"]] for line in lines)


def test_what_one_request_did_is_not_in_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    metrics.add_metric("Renders")
    metrics.record_request("DeliverFunction", 302, 1)
    capsys.readouterr()

    metrics.record_request("DeliverFunction", 404, 1)

    by_status, by_function = read_lines(capsys)
    assert by_status["status"] == "4xx"
    assert "Renders" not in by_function


def test_the_numbers_of_a_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = {"dry_run": False, "undone": 2, "orphan_objects": 0, "orphan_keys": ["a"], "failed": 1}

    metrics.record_outcome("sweep", outcome, "SweepFunction")

    (line,) = read_lines(capsys)
    names = {entry["Name"] for entry in directive(line)["Metrics"]}
    assert names == {"SweepUndone", "SweepFailed"}
    assert line["SweepUndone"] == [2]


@pytest.mark.parametrize(("dry_run", "lines"), [(True, 0), (False, 1)])
def test_a_dry_run_counts_nothing(capsys: pytest.CaptureFixture[str], dry_run: bool, lines: int) -> None:
    context: Any = LambdaContext(function_name="SweepFunction")

    run_event("sweep", lambda _: {"dry_run": dry_run, "undone": 2}, {}, context, counted=True)

    assert sum("_aws" in line for line in read_lines(capsys)) == lines


def test_an_outcome_without_numbers_makes_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    metrics.record_outcome("ingest", {"completed": ["a"]}, "UploadFunction")
    assert read_lines(capsys) == []


@pytest.mark.parametrize("variable", ["METRICS_NAMESPACE", "MINIO_BUCKET_NAME"])
def test_no_metrics_where_none_are_wanted_or_nothing_is_configured(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(variable)
    get_settings.cache_clear()

    metrics.add_metric("Renders")
    metrics.record_request("ListFunction", 503, 1)

    assert read_lines(capsys) == []
    assert not metrics._pending


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f"}, "ImageApi"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_SAM_LOCAL": "true"}, None),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f", "METRICS_NAMESPACE": "Mine"}, "Mine"),
    ],
)
def test_where_metrics_are_written(variables: dict[str, str], expected: str | None) -> None:
    assert load_settings(REQUIRED | variables).metrics_namespace == expected


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("stack-ListFunction-Zx81Kq", "ListFunction"),
        ("my-stack-2-SweepFunction-0", "SweepFunction"),
        ("ListFunction", "ListFunction"),
        ("tests", "tests"),
    ],
)
def test_a_function_keeps_its_name_from_stack_to_stack(
    name: str, short: str, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics.record_request(name, 200, 1)
    assert {line["function"] for line in read_lines(capsys)} == {short}
