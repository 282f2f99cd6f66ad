"""The log (JSON lines) and the metrics (CloudWatch's embedded format), both written to stdout.

Entry points: ``logs.get_logger()`` and ``metrics.add_metric()``.
"""
