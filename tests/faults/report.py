"""The report of a run: groups of counts, and the problems found."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable


class Report(defaultdict[str, Counter[str]]):
    """Counts: ``report["killed"]["upload"] += 1``."""

    def __init__(self) -> None:
        super().__init__(Counter)
        self.wrong: list[str] = []

    def complain(self, context: str, problems: list[str]) -> None:
        self.wrong += [f"{context}: {problem}" for problem in problems]

    def describe(self) -> str:
        """As text."""
        groups = {
            group: ", ".join(f"{name} {number}" for name, number in counts.items())
            for group, counts in self.items()
        }
        lines = [f"{group}: {text}" for group, text in groups.items()]
        return "\n".join([*lines, f"{len(self.wrong)} wrong", *self.wrong])


def repeat(run_round: Callable[[], object], rounds: int, report: Report, *, stop: bool = False) -> None:
    """Run rounds, and print the progress after every 25 and what is wrong.

    Args:
        stop: end when something is wrong.
    """
    start, told = time.monotonic(), 0
    for number in range(1, rounds + 1):
        run_round()
        for problem in report.wrong[told:]:
            print(problem, flush=True)
        told = len(report.wrong)
        if number % 25 == 0 or number == rounds:
            print(f"{number} of {rounds} rounds, {time.monotonic() - start:.0f} s, {told} wrong", flush=True)
        if stop and told:
            break
