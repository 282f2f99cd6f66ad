"""Metrics in CloudWatch's embedded metric format: log lines that CloudWatch turns into metrics.

They are written on AWS, and elsewhere if METRICS_NAMESPACE is set. Each combination of metric and dimensions
is billed monthly, so there are few: ``Requests`` by function and status class, ``Refused`` by status, all
others by function.

===================  ============  =============================================================
``Requests``         Count         responses, by status class: ``2xx`` to ``5xx``
``Refused``          Count         responses of all functions with 401 (API key) or 403 (link, scope)
``Latency``          Milliseconds  of each response
``Uploads``          Count         images that became ready
``UploadedBytes``    Bytes         their originals
``Renders``          Count         variants rendered
``Analyses``         Count         images described by Gemini
``GeminiFailures``   Count         failed calls of Gemini for reasons other than the image
``InvalidatePaths``  Count         invalidated paths of CloudFront
``Sweep…``           Count         findings of a sweep: ``SweepUndone``, ``SweepMissingObjects``, …
===================  ============  =============================================================
"""

import re
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from imageapi.config.settings import get_settings
from imageapi.errors import AppError

_pending: dict[str, tuple[MetricUnit, float]] = {}


def add_metric(name: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """Add to a metric. It is written when the current request or event ends."""
    _pending[name] = (unit, _pending.get(name, (unit, 0))[1] + value)


def record_request(function: str, status: int, milliseconds: float) -> None:
    """Write the metrics of one request."""
    _write({"Requests": (MetricUnit.Count, 1)}, function=_short(function), status=f"{status // 100}xx")
    if status in (401, 403):
        _write({"Refused": (MetricUnit.Count, 1)}, status=str(status))
    add_metric("Latency", milliseconds, MetricUnit.Milliseconds)
    _write_pending(function)


def record_outcome(name: str, outcome: Mapping[str, Any], function: str) -> None:
    """Write the metrics of an asynchronous event: all nonzero numbers in its outcome. Zeros would cost as
    much.

    Args:
        name: the prefix: ``sweep`` with ``{"orphan_objects": 2}`` writes ``SweepOrphanObjects``.
    """
    for key, value in outcome.items():
        if isinstance(value, int) and not isinstance(value, bool) and value:
            add_metric(f"{name}_{key}".title().replace("_", ""), value)
    _write_pending(function)


def _write_pending(function: str) -> None:
    _write(_pending, function=_short(function))
    _pending.clear()


def _write(values: Mapping[str, tuple[MetricUnit, float]], **dimensions: str) -> None:
    namespace = _find_namespace()
    if not namespace or not values:
        return
    # All instances of the class Metrics share their values.
    metrics = EphemeralMetrics(namespace=namespace)
    for dimension, text in dimensions.items():
        metrics.add_dimension(dimension, text)
    for name, (unit, value) in values.items():
        metrics.add_metric(name, unit, value)
    metrics.flush_metrics()


def _find_namespace() -> str | None:
    try:
        return get_settings().metrics_namespace
    except AppError:
        return None  # the response reports the error


def _short(function: str) -> str:
    """The function's name in the template, without the stack's name and the random suffix."""
    match = re.fullmatch(r".+-(\w+Function)-\w+", function)
    return match[1] if match else function
