"""Which choices of a schedule lead to another result."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.interleavings.execution import Step
from tests.interleavings.footprint import Footprint


class Choice(NamedTuple):
    """The client whose turn it is, of those that are able, after which steps (see :func:`hash_pasts`)."""

    past: int = 0
    able: frozenset[str] = frozenset()
    client: str = ""


class Branch(NamedTuple):
    """The beginning of a schedule, up to a choice.

    Attributes:
        cost: its number of preemptions.
        number: the number of earlier calls of the chosen client.
        passed: the call of another client that was made instead; None if the client before could not go on.
    """

    cost: int
    steps: Sequence[Step]
    number: int = 0
    passed: Footprint | None = None

    def matters(self, calls: set[tuple[int, Footprint]]) -> bool:
        """Whether the choice may lead to another result, as in dynamic partial order reduction. It cannot if
        none of the client's later calls, in all schedules so far, conflicts with the call made instead.
        """
        later = (call for number, call in calls if number >= self.number)
        return self.passed is None or any(map(self.passed.conflicts, later))


def branch(steps: Sequence[Step]) -> Iterator[tuple[Choice, Branch]]:
    """The choices that have led to these steps, and the alternatives."""
    used = 0
    counts: Counter[str] = Counter()
    for number, (step, past) in enumerate(zip(steps, hash_pasts(steps), strict=True)):
        able = frozenset({step.client, *step.others})
        last = steps[number - 1].client if number else ""
        for other in step.others:
            cost = used + (not step.is_free and other != last)
            beginning = [*steps[:number], Step(other, "", Footprint(), (), is_free=False)]
            passed = None if step.is_free else step.footprint
            yield Choice(past, able, other), Branch(cost, beginning, counts[other], passed)
        used += not step.is_free and step.client != last
        yield Choice(past, able, step.client), Branch(used, steps[: number + 1], counts[step.client])
        counts[step.client] += 1


def hash_pasts(steps: Sequence[Step]) -> Iterator[int]:
    """For each step, a hash of the steps before it: the reads of each client, and the order of conflicting
    changes. Equal hashes are equal states of the stores and the clients.
    """
    past: frozenset[object] = frozenset()
    changes: list[tuple[str, int, Footprint]] = []
    counts: Counter[str] = Counter()
    for client, _, footprint, _, _, seen in steps:
        yield hash(past)
        counts[client] += 1
        is_change = bool(footprint.locks or footprint.writes)
        if is_change or seen is None:
            after = [one[:2] for one in changes if one[0] != client and one[2].conflicts(footprint)]
            past |= {(client, counts[client], frozenset(after))}
        else:
            past |= {(client, counts[client], seen)}
        if is_change:
            changes.append((client, counts[client], footprint))
