"""python -m tests.interleavings: every order of the calls of two operations on one image.

Each pair of operations begins together in each state of an image. Each call to PostgreSQL or S3 is a step.
All orders with at most three preemptions are run, and after each, both stores are checked. A failure prints
the command that replays it.
"""

import argparse
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "shared")]

from tests.integration.stores import launched  # noqa: E402
from tests.interleavings.explorer import (  # noqa: E402
    Case,
    Explorer,
    NondeterminismError,
    Outcome,
    choose_cases,
)
from tests.interleavings.operations import STARTS  # noqa: E402
from tests.support.postgres import turn_fsync_off  # noqa: E402


def main() -> int:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        description=__doc__, prog="python -m tests.interleavings", formatter_class=form
    )
    parser.add_argument(
        "--pairs", default="all", help="those with these states or operations: trash,undo; none (all)"
    )
    parser.add_argument("--preemptions", type=int, default=3, help="at most this many (3)")
    parser.add_argument("--triples", type=int, default=0, help="this many random schedules of three (0)")
    parser.add_argument("--seed", type=int, default=1, help="decides the random ones (1)")
    parser.add_argument("--minutes", type=float, default=60, help="stop after this time (60)")
    parser.add_argument("--replay", metavar="CODE", help="run the schedule that a failure has printed")
    arguments = parser.parse_args()
    with launched("interleavings-") as stores:
        turn_fsync_off(stores.postgres)
        os.environ.update(stores.environment)
        explorer = Explorer(stores)
        try:
            if arguments.replay:
                return replay(explorer, arguments.replay)
            run = Run(explorer, time.monotonic() + 60 * arguments.minutes)
            run.explore(choose_cases(arguments.pairs), arguments.preemptions)
            run.explore_triples(arguments.triples, arguments.seed)
            print(run.describe())
            return 1 if run.wrong else 0
        finally:
            explorer.close()


def replay(explorer: Explorer, code: str) -> int:
    try:
        outcome = explorer.replay(code)
    except NondeterminismError as error:
        print(f"The code of the service has changed since: {error}.")
        return 1
    print(outcome.describe())
    return 1 if outcome.wrong else 0


class Run:
    """Explores cases one after the other, and says what it finds.

    Attributes:
        wrong: the number of schedules after which something did not hold.
    """

    def __init__(self, explorer: Explorer, end: float) -> None:
        self.wrong = 0
        self._explorer = explorer
        self._start, self._end = time.monotonic(), end
        self._schedules = self._steps = self._left_out = 0
        self._told: Counter[tuple[Case, str]] = Counter()

    def explore(self, cases: list[Case], preemptions: int) -> None:
        """All schedules of these cases."""
        for number, case in enumerate(cases, 1):
            before = self._schedules, self.wrong
            try:
                for outcome in self._explorer.explore(case, preemptions):
                    self._note(outcome)
                    if self._is_over():
                        break
            except NondeterminismError as error:
                self.wrong += 1
                print(f"NOT DETERMINISTIC: {error}", flush=True)
            if self._is_over():
                self._left_out = len(cases) - number + 1
                break
            seconds = time.monotonic() - self._start
            count, wrong = self._schedules - before[0], self.wrong - before[1]
            print(
                f"{number}/{len(cases)} {case}: {count} schedules, {wrong} wrong, {seconds:.0f} s", flush=True
            )

    def explore_triples(self, count: int, seed: int) -> None:
        """Random schedules of three random operations in a random state."""
        chance = random.Random(seed)
        for number in range(count):
            if self._is_over():
                self._left_out += count - number
                break
            start = chance.choice(sorted(STARTS))
            among = (*STARTS[start].first, *STARTS[start].second)
            case = Case(start, (chance.choice(STARTS[start].first), *chance.choices(among, k=2)))
            self._note(self._explorer.sample(case, f"{seed} {number}"))
            if (number + 1) % 100 == 0:
                print(f"{number + 1}/{count} triples, {self.wrong} wrong", flush=True)

    def describe(self) -> str:
        seconds = time.monotonic() - self._start
        text = f"{self._schedules} schedules, {self._steps} calls, {seconds:.0f} s: {self.wrong} wrong."
        return text + (f" No time was left for {self._left_out} pairs or triples." if self._left_out else "")

    def _is_over(self) -> bool:
        return time.monotonic() > self._end

    def _note(self, outcome: Outcome) -> None:
        self._schedules += 1
        self._steps += len(outcome.steps)
        if not outcome.wrong:
            return
        self.wrong += 1
        kind = (outcome.case, " ".join(word for word in outcome.wrong[0].split() if "/" not in word))
        self._told[kind] += 1
        if self._told[kind] == 1:  # others are alike
            print(outcome.describe(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
