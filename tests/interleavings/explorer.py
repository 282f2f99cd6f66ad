"""Explores schedules: all with a bounded number of preemptions, or random ones; and replays one."""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from imageapi.database import db

from tests.integration.leftovers import expire
from tests.integration.stores import Stores
from tests.interleavings import checks
from tests.interleavings.branching import Branch, Choice, branch
from tests.interleavings.client import Client, Process, Request, Result, fill
from tests.interleavings.execution import Choose, Execution, Step
from tests.interleavings.footprint import Footprint
from tests.interleavings.history import Image, check_acknowledged, read_images
from tests.interleavings.operations import STARTS, Preparation, all_cases, play

NAMES = "abc"
SWITCH_CHANCE = 0.3
"""Of a random schedule: the chance of a preemption at each call."""


class NondeterminismError(Exception):
    """The same choices have led to other calls."""


@dataclass(frozen=True)
class Case:
    """Operations that begin together in a state."""

    start: str
    operations: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.start}:{','.join(self.operations)}"


@dataclass
class Outcome:
    """One completed schedule.

    Attributes:
        wrong: the checks that failed.
    """

    case: Case
    steps: Sequence[Step]
    results: Sequence[Result]
    wrong: list[str] = field(default_factory=list)

    @property
    def schedule(self) -> str:
        """As text: the number of calls of each client in turn, as in ``3a5b2a``."""
        runs = groupby(step.client for step in self.steps)
        return "".join(f"{len(list(steps))}{name}" for name, steps in runs)

    @property
    def code(self) -> str:
        """The argument that replays it."""
        return f"{self.case}:{self.schedule}"

    def describe(self) -> str:
        """The problems, the calls, and the command that replays them."""
        names = ", ".join(f"{name} = {kind}" for name, kind in zip(NAMES, self.case.operations, strict=False))
        lines = [f"{self.case.start}: {names}", *(f"  WRONG: {problem}" for problem in self.wrong)]
        for number, step in enumerate(self.steps):
            lines += [f"  {number:3} {step.client}  {step.call}"]
            ended = [result for result in self.results if result.ended == number + 1]
            lines += [f"      {one.client}  {one.request.kind}: {one.status} {one.code}" for one in ended]
        return "\n".join([*lines, f"  python -m tests.interleavings --replay '{self.code}'"])


def parse_code(code: str) -> tuple[Case, list[str]]:
    """A case and the clients' names in the order of their calls, from :attr:`Outcome.code`."""
    start, operations, schedule = code.split(":")
    order = [name for count, name in re.findall(r"(\d+)([a-z])", schedule) for _ in range(int(count))]
    return Case(start, tuple(operations.split(","))), order


class Explorer:
    """Runs schedules, each in empty stores. This process's own settings must be those of the stores."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._processes = [Process(stores.environment) for _ in NAMES]
        self._swept: set[str] = set()
        self._warm_up()

    def close(self) -> None:
        for process in self._processes:
            process.close()
        db.close()

    def explore(self, case: Case, preemptions: int) -> Iterator[Outcome]:
        """The schedules of a case within this many preemptions, without those that lead to known results.

        Raises:
            NondeterminismError: the same choices have led to other calls.
        """
        left, waiting = {Choice(): Branch(0, ())}, dict[Choice, Branch]()
        taken: dict[Choice, int] = {}
        begun: set[str] = set()
        calls: dict[str, set[tuple[int, Footprint]]] = defaultdict(set)
        while left:
            # The run from an early choice takes many of the later ones.
            prefix = left.pop(min(left, key=lambda one: (left[one].cost, len(left[one].steps)))).steps
            names = [step.client for step in prefix]
            if "".join(names) in begun:
                continue
            begun.add("".join(names))
            outcome = self.run(case, in_order(names))
            for expected, step in zip(prefix, outcome.steps, strict=False):
                # The last step of a prefix belongs to another client than in the schedule that it came from.
                if (expected.client, expected.call or step.call) != (step.client, step.call):
                    raise NondeterminismError(f"{expected} became {step} in\n{outcome.describe()}")
            yield outcome
            for choice, found in branch(outcome.steps):
                earlier = left if choice in left else waiting
                if found.cost >= taken.get(choice, preemptions + 1):
                    continue
                if choice.client == outcome.steps[len(found.steps) - 1].client:
                    taken[choice] = found.cost
                    calls[choice.client].add((found.number, outcome.steps[len(found.steps) - 1].footprint))
                    if choice in earlier and found.cost <= earlier[choice].cost:
                        del earlier[choice]
                elif choice not in earlier or found.cost < earlier[choice].cost:
                    earlier[choice] = found
            for choice in [one for one in waiting if waiting[one].matters(calls[one.client])]:
                left[choice] = waiting.pop(choice)

    def sample(self, case: Case, seed: str) -> Outcome:
        """A random schedule of a case."""
        chance = random.Random(seed)

        def choose(able: Sequence[str], last: str) -> str:
            others = [name for name in able if name != last]
            if last in able and (not others or chance.random() > SWITCH_CHANCE):
                return last
            return chance.choice(others)

        return self.run(case, choose)

    def replay(self, code: str) -> Outcome:
        case, order = parse_code(code)
        return self.run(case, in_order(order))

    def run(self, case: Case, choose: Choose) -> Outcome:
        """Run one schedule, and check the stores after it."""
        self._stores.clear()
        self._stores.execute("ALTER SEQUENCE lease_tokens RESTART")  # clients see the same tokens in each run
        start = STARTS[case.start]
        image_id = start.prepare(Preparation(self._stores, self._processes[0]))
        before = read_images(checks.read_rows(self._stores))
        clients = [
            Client(name, process, play(start.requests(operation), image_id, name))
            for name, operation, process in zip(NAMES, case.operations, self._processes, strict=False)
        ]
        execution = Execution(self._stores, clients)
        execution.run(choose)
        wrong = self._check(execution.results, before)
        return Outcome(case, execution.steps, execution.results, wrong)

    def _check(self, results: Sequence[Result], before: Mapping[str, Image]) -> list[str]:
        stores, snapshot = self._stores, checks.take_snapshot(self._stores)
        wrong = checks.check_answers(results)
        wrong += checks.check_objects_are_named(snapshot)
        wrong += checks.check_rows_have_objects(stores, snapshot)
        if snapshot.shape not in self._swept:  # equal ones need only one sweep
            results = [*results, self._sweep(results)]
            after = checks.take_snapshot(stores)
            left = checks.check_nothing_is_left(after) + checks.check_rows_have_objects(stores, after)
            if not left and not wrong:
                self._swept.add(snapshot.shape)
            wrong += [f"after a sweep: {problem}" for problem in left if problem not in wrong]
            snapshot = after
        wrong += check_acknowledged(results, before, snapshot.rows)
        return wrong + checks.check_mirrors(stores, results)

    def _sweep(self, results: Sequence[Result]) -> Result:
        """One sweep, after all leases have expired, that treats all objects as old."""
        expire(self._stores)
        end = max((result.ended for result in results), default=0)
        request = Request("sweep", "SweepFunction", {"object_grace_seconds": -60})
        result = Result("", request, end, end + 1)
        fill(result, self._processes[0].run(request))
        assert result.status == 200, result
        return result

    def _warm_up(self) -> None:
        """Let each process open its connections and load its modules, which would otherwise be steps."""
        for process in self._processes:
            self._stores.clear()
            prepared = Preparation(self._stores, process)
            image_id = prepared.viewed()
            for kind in ("edit", "revoke", "batch", "follow", "trash", "restore", "sweep", "delete"):
                prepared.do(kind, image_id)
            self._stores.clear()
            image_id = prepared.arrived()
            prepared.do("event", image_id)


def in_order(schedule: Sequence[str]) -> Choose:
    """Take these clients in this order; after that, stay with the last one while it can go on."""
    left = list(schedule)

    def choose(able: Sequence[str], last: str) -> str:
        if not left:
            return last if last in able else able[0]
        wanted = left.pop(0)
        if wanted not in able:
            raise NondeterminismError(f"{wanted} cannot go on here, only {', '.join(able)}")
        return wanted

    return choose


def choose_cases(words: str) -> list[Case]:
    """All cases, or those with all of these words, states or operations: ``trash,undo``; ``none``: none."""
    cases = [Case(*case) for case in all_cases()]
    if words == "all":
        return cases
    wanted = set(words.split(","))
    return [case for case in cases if wanted <= {case.start, *case.operations}]
