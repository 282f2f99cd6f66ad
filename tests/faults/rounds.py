"""Rounds: an operation, a fault at one of its steps, recovery, one sweep, and the comparison."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.ledger import Ledger
from tests.faults.operations import Attempt, Client
from tests.faults.removals import REMOVALS
from tests.faults.service import Outcome, Service, at_step
from tests.integration.stores import Stores
from tests.support.proxy import Mode, NetworkFault, Proxy
from tests.support.waiting import wait_until

OPERATIONS = (
    *("upload", "upload_unique", "upload_large", "announce", "complete", "ingest", "refuse"),
    *("patch", "render", "render_large", "sweep", *REMOVALS),
)
RACING = ("trash", "restore", "delete", "delete_trashed")
"""Operations beside which another one is done with the same image."""
KILLS = ("kill before", "kill after", "kill during")
NETWORK: tuple[Mode, ...] = ("refuse", "stall", "cut", "reset", "slow")
FAULTS = (*KILLS, *NETWORK, "server killed", "race")
UNDER_FAULT = {409, 503}
"""Responses other than success allowed while a store is broken: both mean "try again"."""
IN_A_RACE = {200, 204, 302, 404, 409, 503}
"""Responses of two operations at once with the same image."""


class Case(NamedTuple):
    """An operation, and a fault at one of its steps."""

    operation: str
    step: int
    name: str
    fault: str
    turn: int = 0

    def __str__(self) -> str:
        return f"{self.operation}, {self.fault} at step {self.step} ({self.name})"


@dataclass
class Counts:
    """Totals over all rounds."""

    rounds: Counter[tuple[str, str]] = field(default_factory=Counter)
    steps: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    recovered: int = 0
    images: int = 0
    not_reached: int = 0
    wrong: list[str] = field(default_factory=list)


class Harness:
    """Both stores behind proxies, the service in front of them, and a client."""

    def __init__(self, stores: Stores, seed: int) -> None:
        self.counts = Counts()
        self._stores = stores
        self._chance = random.Random(seed)
        self._proxies = {
            "database": Proxy((stores.postgres.host, stores.postgres.port)),
            "storage": Proxy((stores.s3.host, stores.s3.port)),
        }
        environment = stores.environment | {
            "DB_PORT": str(self._proxies["database"].port),
            "MINIO_ENDPOINT_URL": self._proxies["storage"].url,
            # Clients with a link or a form connect to the store directly.
            "MINIO_PUBLIC_ENDPOINT_URL": stores.s3.endpoint_url,
            "DB_CONNECT_TIMEOUT": "1",
            "DB_STATEMENT_TIMEOUT": "1",
        }
        self._service, self._other = Service(environment), Service(environment)
        self._ledger = Ledger()
        self._told: set[str] = set()
        self._client = Client(self._service, stores, self._ledger, self._chance)

    def close(self) -> None:
        self._service.close()
        self._other.close()
        for proxy in self._proxies.values():
            proxy.close()

    def run(
        self,
        rounds: int,
        report: Callable[[int], None] = lambda _: None,
        operations: Sequence[str] = OPERATIONS,
    ) -> Counts:
        """Run ``rounds`` rounds over all steps and faults; operations take turns, each in shuffled order."""
        cases = [case for case in self.find_cases() if case.operation in operations]
        self._chance.shuffle(cases)
        turns = Counter[str]()
        for place, case in enumerate(cases):
            turns[case.operation] += 1
            cases[place] = case._replace(turn=turns[case.operation])
        cases.sort(key=lambda case: (case.turn, OPERATIONS.index(case.operation)))
        for number, case in enumerate(itertools.islice(itertools.cycle(cases), rounds), 1):
            self.run_round(case)
            report(number)
        return self.counts

    def find_cases(self) -> list[Case]:
        """Every fault at every step of every operation; one run without faults finds the steps."""
        cases = []
        for operation in OPERATIONS:
            attempt = self._client.prepare(operation)
            outcome = self._service.run(attempt.function, attempt.event)
            assert outcome.status in attempt.done, (operation, outcome)
            attempt.acknowledge(outcome)
            for step, name in enumerate(outcome.steps, 1):
                faults = FAULTS if operation in RACING else FAULTS[:-1]
                cases += [Case(operation, step, name, fault) for fault in faults]
            self._client.sweep()
            self._check(f"{operation}, undisturbed")
        return cases

    def run_round(self, case: Case) -> None:
        """Run one operation, one fault, one recovery."""
        counts = self.counts
        counts.rounds[case.operation, case.fault] += 1
        counts.steps[case.operation, case.step, case.name] += 1
        attempt = self._client.prepare(case.operation)
        outcome = self._disturb(case, attempt)
        counts.not_reached += not outcome.reached
        self._judge(case, attempt, outcome)
        wait_until(lambda: all(proxy.is_idle() for proxy in self._proxies.values()))
        if self._chance.random() < 0.5:
            self._try_again(case, attempt, outcome)
        found = self._client.sweep()
        counts.recovered += any(
            found[name] for name in ("finished", "undone", "variants_removed", "orphan_objects")
        )
        self._check(f"{case}, answered {outcome.status or 'nothing'}")
        self._client.trim()

    def _disturb(self, case: Case, attempt: Attempt) -> Outcome:
        function, event = attempt.function, attempt.event
        if case.fault in ("kill before", "kill after"):
            at = at_step(case.step, "before" if case.fault == "kill before" else "after")
            return self._service.kill_at(function, event, at)
        before, store = at_step(case.step, "before", "pause"), case.name.partition(".")[0]
        if case.fault == "race":
            return self._service.pause_at(function, event, before, lambda: self._race(case, attempt))
        if case.fault == "server killed":
            server = self._stores.postgres if store == "database" else self._stores.s3
            try:
                return self._service.pause_at(function, event, before, server.kill)
            finally:
                if not server.is_running():
                    server.start()
        proxy = self._proxies[store]
        with self._broken(proxy) as break_with:
            fault = self._choose(case.fault, store)
            if case.fault != "kill during":
                return self._service.pause_at(function, event, before, lambda: break_with(fault))
            # Killed while waiting in the middle of a request: after at most two seconds, by when a request
            # that missed the fault has ended.
            return self._service.pause_at(
                function, event, before, lambda: break_with(fault), lambda: proxy.happened.wait(2)
            )

    def _race(self, case: Case, attempt: Attempt) -> None:
        """After it, what the first operation is told says less."""
        outcome = self._client.race(attempt.image_id, self._other)
        if outcome.status not in IN_A_RACE:
            self.counts.wrong.append(f"{case}, beside it: {outcome}")
        attempt.done = attempt.again = IN_A_RACE
        attempt.acknowledge = lambda _: None

    def _choose(self, fault: str, store: str) -> NetworkFault:
        after = self._chance.randrange(1, 300 if store == "database" else 5_000)
        mode: Mode = "stall" if fault == "kill during" else next(mode for mode in NETWORK if mode == fault)
        return NetworkFault(mode, after, once=self._chance.random() < 0.5)

    @staticmethod
    @contextmanager
    def _broken(proxy: Proxy) -> Iterator[Callable[[NetworkFault], None]]:
        try:
            yield proxy.break_with
        finally:
            proxy.heal()

    def _judge(self, case: Case, attempt: Attempt, outcome: Outcome) -> None:
        if outcome.status in attempt.done:
            attempt.acknowledge(outcome)
            self.counts.acknowledged[case.operation] += 1
        elif outcome.status == 0:
            self.counts.killed[case.operation] += 1
        else:
            self.counts.refused[case.operation] += 1
            if outcome.status not in UNDER_FAULT:
                self.counts.wrong.append(f"{case}: {outcome}")

    def _try_again(self, case: Case, attempt: Attempt, first: Outcome) -> None:
        """The client sends the same event again, which must now succeed."""
        self.counts.retried += 1
        self._client.expire()
        outcome = self._service.run(attempt.function, attempt.event)
        if outcome.code == "upload_interrupted":
            outcome = self._service.run(attempt.function, attempt.event)
        if outcome.status not in attempt.done | attempt.again:
            self.counts.wrong.append(f"{case}, answered {first.status}, sent again: {outcome}")
        else:
            attempt.acknowledge(outcome)

    def _check(self, context: str) -> None:
        for problem in self._ledger.settle(self._stores):
            if problem not in self._told:  # a loss is reported once
                self._told.add(problem)
                self.counts.wrong.append(f"{context}: {problem}")
        shown = [one for one in self._ledger.images.values() if one.image and "image" in one.places]
        self.counts.images += len(shown)
        if shown and not self._client.check_delivery(shown[-1]):
            self.counts.wrong.append(f"{context}: the last image is not delivered")
