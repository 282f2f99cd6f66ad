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

REQUIRED = {"MINIO_ACCESS_KEY": "a", "MINIO_SECRET_KEY": "b", "MINIO_BUCKET_NAME": "images"}


@pytest.fixture(autouse=True)
def namespace(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    metrics._pending.clear()
    with use_settings(monkeypatch, {**REQUIRED, "METRICS_NAMESPACE": "Test"}):
        yield
    metrics._pending.clear()


def read_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Each line's dimensions, and its metrics with their units."""
    lines = []
    for text in capsys.readouterr().out.splitlines():
        line = json.loads(text)
        if "_aws" not in line:
            continue
        (found,) = line.pop("_aws")["CloudWatchMetrics"]
        assert found["Namespace"] == "Test"
        ((*dimensions,),) = found["Dimensions"]
        units = {metric["Name"]: metric["Unit"] for metric in found["Metrics"]}
        assert line.keys() == {*dimensions, *units}
        lines.append(line | {name: f"{line[name][0]:g} {unit}" for name, unit in units.items()})
    return lines


def test_a_request_and_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    metrics.add_metric("Uploads")
    metrics.add_metric("UploadedBytes", 1000, MetricUnit.Bytes)
    metrics.add_metric("UploadedBytes", 500, MetricUnit.Bytes)
    metrics.record_request("image-api-UploadFunction-A1b2C3d4E5f6", 201, 12.5)
    metrics.record_request("image-api-UploadFunction-A1b2C3d4E5f6", 404, 1)

    function = {"function": "UploadFunction"}
    assert read_lines(capsys) == [
        {**function, "status": "2xx", "Requests": "1 Count"},
        {**function, "Uploads": "1 Count", "UploadedBytes": "1500 Bytes", "Latency": "12.5 Milliseconds"},
        {**function, "status": "4xx", "Requests": "1 Count"},
        {**function, "Latency": "1 Milliseconds"},
    ]


@pytest.mark.parametrize(("status", "counted"), [(401, ["401"]), (403, ["403"]), (404, []), (200, [])])
def test_refusals_are_counted_for_all_functions_together(
    capsys: pytest.CaptureFixture[str], status: int, counted: list[str]
) -> None:
    metrics.record_request("image-api-ListFunction-A1b2C3d4E5f6", status, 1)

    lines = [line for line in read_lines(capsys) if "Refused" in line]
    assert lines == [{"status": text, "Refused": "1 Count"} for text in counted]


@pytest.mark.parametrize(
    ("outcome", "lines"),
    [
        (
            {"dry_run": False, "undone": 2, "orphan_objects": 0, "orphan_keys": ["a"], "failed": 1},
            [{"function": "SweepFunction", "SweepUndone": "2 Count", "SweepFailed": "1 Count"}],
        ),
        ({"dry_run": True, "undone": 2}, []),
        ({"completed": ["a"]}, []),
    ],
)
def test_the_numbers_of_a_sweep(
    capsys: pytest.CaptureFixture[str], outcome: dict[str, Any], lines: list[dict[str, str]]
) -> None:
    context: Any = LambdaContext(function_name="SweepFunction")
    run_event("sweep", lambda _: outcome, {}, context, counted=True)
    assert read_lines(capsys) == lines


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


def test_where_metrics_are_written() -> None:
    def namespace(**variables: str) -> str | None:
        return load_settings(REQUIRED | variables).metrics_namespace

    assert namespace() is None
    assert namespace(AWS_LAMBDA_FUNCTION_NAME="f") == "ImageApi"
    assert namespace(AWS_LAMBDA_FUNCTION_NAME="f", AWS_SAM_LOCAL="true") is None
    assert namespace(AWS_LAMBDA_FUNCTION_NAME="f", METRICS_NAMESPACE="Mine") == "Mine"


@pytest.mark.parametrize(
    ("name", "short"),
    [("my-stack-2-SweepFunction-0", "SweepFunction"), ("ListFunction", "ListFunction"), ("tests", "tests")],
)
def test_metrics_name_the_function_alone(name: str, short: str, capsys: pytest.CaptureFixture[str]) -> None:
    metrics.record_request(name, 200, 1)
    assert {line["function"] for line in read_lines(capsys)} == {short}
