"""Counts of recent responses, including the gateway's own.

GET /_local/stats returns them, mainly for `make monitor`. Only the local gateway has this path.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, NamedTuple

PATH = "/_local/stats"
WINDOW_SECONDS = 60
KEPT = 20_000
GATEWAY = "gateway"


class Answer(NamedTuple):
    at: float
    function: str
    status: int
    milliseconds: float


class Stats:
    """The responses of the last minute, at most 20,000. Thread-safe."""

    def __init__(self) -> None:
        self._answers: deque[Answer] = deque(maxlen=KEPT)
        self._total = 0
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def add(self, function: str, status: int, milliseconds: float) -> None:
        with self._lock:
            self._answers.append(Answer(time.monotonic(), function, status, milliseconds))
            self._total += 1

    def summary(self) -> dict[str, Any]:
        """The response of /_local/stats: see summarize()."""
        now = time.monotonic()
        with self._lock:
            while self._answers and self._answers[0].at < now - WINDOW_SECONDS:
                self._answers.popleft()
            recent, total = list(self._answers), self._total
        # The window is shorter after the start, or if a minute has more than KEPT responses.
        begin = recent[0].at if len(recent) == KEPT else max(self._started, now - WINDOW_SECONDS)
        return {
            "total_requests": total,
            "uptime_seconds": round(now - self._started, 1),
            **summarize(recent, max(1.0, now - begin)),
        }


def summarize(answers: Iterable[Answer], seconds: float) -> dict[str, Any]:
    """Rates and latencies of the responses of the last `seconds`, under the metric names used on AWS.

    {"window_seconds": 60.0, "all": {"Requests": {"2xx": 3}, "requests_per_minute": 3.0, "errors": 0,
     "Latency": {"p50": 4.1, "p95": 9.0}}, "functions": {"ListFunction": …}}; latencies in ms, or null.
    """
    by_function: dict[str, list[Answer]] = {}
    for answer in answers:
        by_function.setdefault(answer.function, []).append(answer)
    everything = [answer for group in by_function.values() for answer in group]
    return {
        "window_seconds": round(seconds, 1),
        "all": _summarize_group(everything, seconds),
        "functions": {name: _summarize_group(by_function[name], seconds) for name in sorted(by_function)},
    }


def _summarize_group(answers: list[Answer], seconds: float) -> dict[str, Any]:
    latencies = sorted(answer.milliseconds for answer in answers)
    return {
        "Requests": dict(sorted(Counter(f"{answer.status // 100}xx" for answer in answers).items())),
        "requests_per_minute": round(len(answers) * 60 / seconds, 1),
        "errors": sum(answer.status >= 500 for answer in answers),
        "Latency": {"p50": percentile(latencies, 50), "p95": percentile(latencies, 95)},
    }


def percentile(ordered: list[float], percent: int) -> float | None:
    """The nearest-rank percentile of values in ascending order."""
    if not ordered:
        return None
    return round(ordered[max(0, -(-percent * len(ordered) // 100) - 1)], 1)
