"""The explorer of the interleavings leaves out no order that leads to another result."""

import random
from collections.abc import Sequence

from tests.interleavings.execution import Choose, Step
from tests.interleavings.explorer import Case, Explorer, Outcome, in_order
from tests.interleavings.footprint import Footprint

Program = list[tuple[str, str, int]]
"""Reads, writes or changes a variable. If it has read an odd number, skips this many of the next steps."""
CASE = Case("", ())
PROGRAMS = 400


class ToyExplorer(Explorer):
    """Runs programs with common variables instead of the service.

    Attributes:
        results: of each schedule.
    """

    def __init__(self, programs: dict[str, Program]) -> None:
        self.results: set[object] = set()
        self._programs = programs

    def run(self, case: Case, choose: Choose) -> Outcome:
        store = dict.fromkeys("xy", 0)
        left = {name: [*program] for name, program in self._programs.items()}
        seen: dict[str, list[int]] = {name: [] for name in left}
        steps: list[Step] = []
        while able := [name for name in left if left[name]]:
            last = steps[-1].client if steps else ""
            client = choose(able, last)
            others = tuple(name for name in able if name != client)
            kind, variable, skipped = left[client].pop(0)
            before = store[variable]
            if kind != "write":
                seen[client].append(before)
                del left[client][: skipped * (before % 2)]
            if kind != "read":
                store[variable] = (sum(seen[client]) + len(left[client])) % 3
            names = frozenset({variable})
            footprint = Footprint(names, writes=names if store[variable] != before else frozenset())
            result = "" if kind == "write" else str(before)
            steps.append(Step(client, kind, footprint, others, last not in able, result))
        self.results.add((*store.values(), *map(tuple, seen.values())))
        return Outcome(case, steps, [])


def run_all(explorer: ToyExplorer, preemptions: int, beginning: Sequence[str] = ()) -> int:
    """Run every order with at most this many preemptions, and this beginning; returns their number."""
    steps = explorer.run(CASE, in_order(beginning)).steps
    count, used, last = 1, 0, ""
    for number, step in enumerate(steps):
        for other in step.others if number >= len(beginning) else ():
            if used + (not step.is_free and other != last) <= preemptions:
                names = [one.client for one in steps[:number]]
                count += run_all(explorer, preemptions, [*names, other])
        used += not step.is_free and step.client != last
        last = step.client
    return count


def test_all_results_of_random_programs_are_found() -> None:
    chance = random.Random(7)
    orders = schedules = 0
    for _ in range(PROGRAMS):
        programs = {
            name: [
                (chance.choice(("read", "write", "change")), chance.choice("xy"), chance.randrange(3))
                for _ in range(chance.randrange(1, 6))
            ]
            for name in "ab"
        }
        preemptions = chance.randrange(1, 4)
        every, explored = ToyExplorer(programs), ToyExplorer(programs)
        orders += run_all(every, preemptions)
        schedules += sum(1 for _ in explored.explore(CASE, preemptions))
        assert explored.results == every.results, (programs, preemptions)
    assert schedules < orders / 2  # most orders are left out
