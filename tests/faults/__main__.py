"""python -m tests.faults --rounds 500 --seed 1: break everything everywhere, and see that nothing is lost.

With --restores: restore the database to random earlier moments, and see that their files come back. With
--mirrors: write at the same time, kill writers, and see that a mirror of the feed equals the database; with
--break as well: break the feed, and stop when this is found.
"""

import argparse
import os
import sys
from contextlib import closing

from tests.faults.breaks import BREAKS, broken
from tests.faults.mirrors import Mirrors
from tests.faults.moments import moments
from tests.faults.operations import OPERATIONS
from tests.faults.report import Report, repeat
from tests.faults.restores import Restores
from tests.faults.rounds import Harness
from tests.integration.stores import Stores, launched
from tests.support.postgres import turn_fsync_off


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
    with launched("faults-") as stores:
        if arguments.restores:
            reports = [run_restores(stores, arguments.rounds, arguments.seed)]
        elif arguments.mirrors:
            reports = run_mirrors(stores, arguments.rounds, arguments.seed, arguments.how)
        else:
            operations = [arguments.only] if arguments.only else [*OPERATIONS]
            with closing(Harness(stores, arguments.seed, operations)) as harness:
                repeat(harness.run_round, arguments.rounds, harness.report)
            reports = [harness.report]
    for report in reports:
        print(report.describe())
    return 1 if any(report.wrong for report in reports) else 0


def run_restores(stores: Stores, rounds: int, seed: int) -> Report:
    turn_fsync_off(stores.postgres)  # copies of databases are thousands of files
    with moments(stores, "restores") as made, closing(Restores(made, seed)) as harness:
        repeat(harness.run_round, rounds, harness.report)
    return harness.report


def run_mirrors(stores: Stores, rounds: int, seed: int, how: str | None) -> list[Report]:
    turn_fsync_off(stores.postgres)
    reports = []
    with moments(stores, "mirrors") as made:
        os.environ.update(made.stores.environment)
        with closing(Mirrors(made.stores, moments=made)) as mirrors, broken(made.stores, how):
            for hints in (False, True):
                print("webhooks as hints" if hints else "the feed alone", flush=True)
                reports.append(mirrors.run(rounds, seed, hints=hints, stop=bool(how)))
    return reports


if __name__ == "__main__":
    sys.exit(main())
