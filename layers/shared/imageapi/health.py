"""Check concurrently, within a few seconds, that the database and the object store respond.

``/health`` requires no key, so a report is reused for MAX_AGE_SECONDS: a burst of requests causes one check.
"""

import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from imageapi.catalog import facets
from imageapi.config.settings import get_settings
from imageapi.database import db
from imageapi.deadline import time_limit
from imageapi.errors import AppError
from imageapi.storage import s3
from imageapi.telemetry.logs import get_logger

TIMEOUT = 3.0
"""Seconds per store."""
MAX_AGE_SECONDS = 3.0
"""Maximum age of a reused report. Clients see the start and end of an outage at most this much later."""


def check_health() -> tuple[bool, dict[str, Any]]:
    """Check both stores, or reuse a recent report.

    Returns:
        Whether the service is healthy, and ``{"status": "healthy" | "unhealthy" | "maintenance", "checks":
        {"database": …, "storage": …}}``. A check is ``{"status": "up" | "down", "latency_ms": float}``; if
        it is down, ``"error"`` has a code.
    """
    return _check_stores(int(time.monotonic() / MAX_AGE_SECONDS))


@lru_cache(maxsize=1)
def _check_stores(_period: int) -> tuple[bool, dict[str, Any]]:
    checks = _run_checks({"database": db.ping, "storage": lambda: s3.check_bucket(TIMEOUT)})
    status = "unhealthy"
    if all(check["status"] == "up" for check in checks.values()):
        status = "maintenance" if get_settings().maintenance else "healthy"
    return status == "healthy", {"status": status, "checks": checks}


def check_database() -> dict[str, Any]:
    """``{"status": "connected", "server_version": "17.6", "image_count": 3, "latency_ms": 0.4}``.

    Raises:
        DatabaseUnavailableError: it does not respond in time.
    """
    with time_limit(TIMEOUT):
        start = time.perf_counter()
        version = db.ping()["server_version"]
        latency = _milliseconds_since(start)
        count = facets.count_images("all", "")
    return {
        "status": "connected",
        "server_version": version,
        "image_count": count,
        "latency_ms": latency,
    }


def _run_checks(checks: dict[str, Callable[[], Any]]) -> dict[str, dict[str, Any]]:
    # Daemon threads: the process can exit while an unlimited DNS lookup still runs.
    results: dict[str, dict[str, Any]] = {}
    threads = [
        threading.Thread(target=_run_check, args=(name, check, results), daemon=True)
        for name, check in checks.items()
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + TIMEOUT + 0.5
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    for name in checks:
        if name not in results:
            results[name] = {"status": "down", "error": "timeout", "latency_ms": TIMEOUT * 1000}
            get_logger().warning("health check failed", extra={"check": name, "code": "timeout"})
    return {name: results[name] for name in checks}


def _run_check(name: str, check: Callable[[], Any], results: dict[str, dict[str, Any]]) -> None:
    start = time.perf_counter()
    result = {"status": "up"}
    try:
        with time_limit(TIMEOUT):
            check()
    except AppError as error:
        get_logger().warning("health check failed", extra={"check": name, "code": error.code}, exc_info=error)
        result = {"status": "down", "error": error.code}
    except Exception:  # any failure means that the store is down
        get_logger().exception("health check failed", extra={"check": name, "code": AppError.code})
        result = {"status": "down", "error": AppError.code}
    results[name] = {**result, "latency_ms": _milliseconds_since(start)}


def _milliseconds_since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 2)
