"""The results of a benchmark, and their table."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


class BenchmarkError(Exception):
    """A benchmark cannot run here. The message says how to fix that."""


@dataclass(frozen=True)
class Figure:
    """A measured value and its floor. Without a goal, it is for information only."""

    name: str
    value: float
    floor: float
    floor_name: str
    unit: str = "ms"
    goal: float | None = None

    @property
    def ratio(self) -> float:
        return self.value / self.floor

    @property
    def verdict(self) -> str:
        """``ok`` or ``over``, or empty without a goal."""
        if self.goal is None:
            return ""
        return "ok" if self.ratio <= self.goal else "over"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "verdict": self.verdict}


def take_turns(calls: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Interleave the calls; returns the median result of each.

    A slowdown of the machine then affects all of them. Every other round runs in reverse, so that no call
    always follows the same one.
    """
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds):
        order = list(calls.items())
        for name, call in order if number % 2 else reversed(order):
            samples[name].append(call())
    return {name: statistics.median(values) for name, values in samples.items()}


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """Wrap ``work`` in a call that returns its duration in milliseconds."""

    def call() -> float:
        start = time.perf_counter()
        work()
        return (time.perf_counter() - start) * 1000

    return call


def format_table(figures: Sequence[Figure]) -> str:
    rows = [("figure", "value", "floor", "value", "ratio", "goal", "")]
    for figure in figures:
        goal = "" if figure.goal is None else f"<= {figure.goal:g}"
        value, floor = (f"{number:,.1f} {figure.unit}" for number in (figure.value, figure.floor))
        rows.append(
            (figure.name, value, figure.floor_name, floor, f"{figure.ratio:.3f}", goal, figure.verdict)
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = (0, 2, 6)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index in left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
