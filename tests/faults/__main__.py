"""python -m tests.faults --rounds 500 --seed 1: break everything everywhere, and see that nothing is lost.

With --restores: restore the database to random earlier moments, and see that their files come back. With
--mirrors: write at the same time, kill writers, and see that a mirror of the feed equals the database; with
--break as well: break the feed, and stop when this is found.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "shared")]

from tests.faults.breaks import BREAKS, broken  # noqa: E402
from tests.faults.mirrors import Counts, Mirrors  # noqa: E402
from tests.faults.moments import moments  # noqa: E402
from tests.faults.report import describe  # noqa: E402
from tests.faults.restores import Restores  # noqa: E402
from tests.faults.rounds import OPERATIONS, Harness  # noqa: E402
from tests.integration.stores import Stores, launched  # noqa: E402
from tests.support.postgres import turn_fsync_off  # noqa: E402


def main() -> int:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.faults", formatter_class=form)
    parser.add_argument("--rounds", type=int, default=500, help="how many rounds (500)")
    parser.add_argument("--seed", type=int, default=1, help="decides their order (1)")
    parser.add_argument("--only", choices=OPERATIONS, help="one operation instead of all")
    parser.add_argument("--restores", action="store_true", help="restores instead of faults")
    parser.add_argument("--mirrors", action="store_true", help="mirrors of the feed")
    parser.add_argument("--break", choices=BREAKS, dest="how", help="how to break the feed")
    arguments = parser.parse_args()
    operations = (arguments.only,) if arguments.only else OPERATIONS
    with launched("faults-") as stores:
        if arguments.restores:
            return run_restores(stores, arguments.rounds, arguments.seed)
        if arguments.mirrors:
            return run_mirrors(stores, arguments.rounds, arguments.seed, arguments.how)
        return run(stores, arguments.rounds, arguments.seed, operations)


def run(stores: Stores, rounds: int, seed: int, operations: Sequence[str]) -> int:
    harness = Harness(stores, seed)
    try:
        counts = harness.run(rounds, reporter(rounds, harness.counts.wrong), operations)
    finally:
        harness.close()
    print(describe(counts))
    return 1 if counts.wrong else 0


def run_restores(stores: Stores, rounds: int, seed: int) -> int:
    turn_fsync_off(stores.postgres)  # copies of databases are thousands of files
    with moments(stores, "restores") as made:
        harness = Restores(made, seed)
        try:
            counts = harness.run(rounds, reporter(rounds, harness.counts.wrong))
        finally:
            harness.close()
    print(counts.describe())
    return 1 if counts.wrong else 0


def run_mirrors(stores: Stores, rounds: int, seed: int, how: str | None) -> int:
    turn_fsync_off(stores.postgres)
    wrong = 0
    with moments(stores, "mirrors") as made:
        os.environ.update(made.stores.environment)
        mirrors = Mirrors(made.stores, moments=made)
        try:
            with broken(made.stores, how):
                for hints in (False, True):
                    print("webhooks as hints" if hints else "the feed alone", flush=True)
                    report = report_mirrors(rounds, stop=bool(how))
                    counts = mirrors.run(rounds, seed, hints=hints, report=report)
                    print(counts.describe(), flush=True)
                    wrong += len(counts.wrong)
        finally:
            mirrors.close()
    return 1 if wrong else 0


def report_mirrors(rounds: int, *, stop: bool) -> Callable[[int, Counts], bool]:
    """As :func:`reporter`; ``stop`` ends the run when something is wrong."""
    wrong: list[str] = []
    report_round = reporter(rounds, wrong)

    def report(number: int, counts: Counts) -> bool:
        for problem in counts.wrong[len(wrong) :]:
            print(problem, flush=True)
        wrong[:] = counts.wrong
        report_round(number)
        return stop and bool(wrong)

    return report


def reporter(rounds: int, wrong: list[str]) -> Callable[[int], None]:
    """Prints the progress after every 25 rounds."""
    start = time.monotonic()

    def report(number: int) -> None:
        if number % 25 == 0 or number == rounds:
            seconds = time.monotonic() - start
            print(f"{number} of {rounds} rounds, {seconds:.0f} s, {len(wrong)} wrong", flush=True)

    return report


if __name__ == "__main__":
    sys.exit(main())
