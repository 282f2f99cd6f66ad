"""python -m tests.interleavings: every order of the calls of two operations on one image.

Each pair of operations begins together in each state of an image. Each call to PostgreSQL or S3 is a step.
All orders with at most three preemptions are run, but for those that cannot lead to another result, and after
each, both stores are checked. A failure prints the command that replays it.
"""

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, closing, contextmanager
from multiprocessing.util import Finalize

from tests.integration.stores import launched
from tests.interleavings.explorer import (
    Case,
    Explorer,
    NondeterminismError,
    Outcome,
    choose_cases,
)
from tests.interleavings.operations import STARTS
from tests.support.postgres import turn_fsync_off

TRIPLES = 50
"""Of one task."""


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
    parser.add_argument("--jobs", type=int, default=2, help="explore with this many processes (2)")
    parser.add_argument("--replay", metavar="CODE", help="run the schedule that a failure has printed")
    arguments = parser.parse_args()
    if arguments.replay:
        with opened() as explorer:
            outcome = explorer.replay(arguments.replay)
        print(outcome.describe())
        return 1 if outcome.wrong else 0
    start = time.monotonic()
    end = start + 60 * arguments.minutes
    cases = sorted(choose_cases(arguments.pairs), key=estimate_length, reverse=True)
    triples = choose_triples(arguments.triples, arguments.seed)
    total: Counter[str] = Counter()
    pool = ProcessPoolExecutor(arguments.jobs, initializer=open_here)
    try:
        tasks = [pool.submit(explore, case, arguments.preemptions, end) for case in cases]
        for first in range(0, len(triples), TRIPLES):
            tasks.append(pool.submit(sample, triples[first : first + TRIPLES], end))
        for number, task in enumerate(as_completed(tasks), 1):
            name, counts = task.result()
            total.update(counts)
            seconds = time.monotonic() - start
            print(f"{number}/{len(tasks)} {name}: {dict(counts)}, {seconds:.0f} s", flush=True)
    finally:
        pool.shutdown(cancel_futures=True)
    print(f"All: {dict(total)}.")
    return 1 if total["wrong"] else 0


@contextmanager
def opened() -> Iterator[Explorer]:
    """An explorer with servers of its own."""
    with launched("interleavings-") as stores:
        turn_fsync_off(stores.postgres)
        os.environ.update(stores.environment)
        with closing(Explorer(stores)) as explorer:
            yield explorer


here: Explorer
"""Of this process, if it belongs to the pool."""


def open_here() -> None:
    global here
    stack = ExitStack()
    here = stack.enter_context(opened())
    Finalize(None, stack.close, exitpriority=0)


def explore(case: Case, preemptions: int, end: float) -> tuple[str, Counter[str]]:
    """All schedules of a case."""
    return str(case), count(here.explore(case, preemptions), end)


def sample(triples: list[tuple[Case, str]], end: float) -> tuple[str, Counter[str]]:
    """A random schedule of each of these cases, with its seed."""
    return f"triples from {triples[0][1]}", count((here.sample(*triple) for triple in triples), end)


def count(outcomes: Iterable[Outcome], end: float) -> Counter[str]:
    """Run schedules until the time is over, and print the problems."""
    counts = Counter(schedules=0, calls=0, wrong=0)
    told = set()
    try:
        for outcome in outcomes:
            counts.update(schedules=1, calls=len(outcome.steps), wrong=bool(outcome.wrong))
            kind = " ".join(word for word in " ".join(outcome.wrong[:1]).split() if "/" not in word)
            if kind and kind not in told:  # once for each kind
                told.add(kind)
                print(outcome.describe(), flush=True)
            if time.monotonic() > end:
                counts["not finished"] = 1
                break
    except NondeterminismError as error:
        counts["wrong"] += 1
        print(f"NOT DETERMINISTIC: {error}", flush=True)
    return counts


def estimate_length(case: Case) -> int:
    """Higher for a pair with more schedules, which is then started earlier."""
    return sum(4 if one == "sweep" else len(STARTS[case.start].requests(one)) for one in case.operations)


def choose_triples(count: int, seed: int) -> list[tuple[Case, str]]:
    """Three random operations each in a random state, and the seed of a random schedule of them."""
    chance = random.Random(seed)
    triples = []
    for number in range(count):
        name = chance.choice(sorted(STARTS))
        start = STARTS[name]
        operations = chance.choice(start.first), *chance.choices((*start.first, *start.second), k=2)
        triples.append((Case(name, operations), f"{seed} {number}"))
    return triples


if __name__ == "__main__":
    sys.exit(main())
