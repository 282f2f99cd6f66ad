"""Rounds: an operation, a fault at one of its steps, recovery, one sweep, and the comparison."""

import itertools
import random
from collections.abc import Sequence
from typing import NamedTuple

from tests.faults.operations import MOVES, OPERATIONS, Attempt, Client
from tests.faults.report import Report
from tests.faults.service import Outcome, Service, at_step
from tests.integration.stores import Stores
from tests.support.proxy import Mode, NetworkFault, Proxy
from tests.support.waiting import wait_until

RACING = (*MOVES, "delete_trashed")
"""Operations during which another one runs on the same image."""
KILLS = ("kill before", "kill after", "kill during")
NETWORK: tuple[Mode, ...] = ("refuse", "stall", "cut", "reset", "slow")
FAULTS = (*KILLS, *NETWORK, "server killed", "race")
UNDER_FAULT = {409, 503}
"""Failures allowed while a store is broken: both mean "try again"."""
IN_A_RACE = {200, 204, 302, 404, 409, 503}
"""Responses of two operations at once with the same image."""


class Case(NamedTuple):
    """An operation, and a fault at one of its steps."""

    operation: str
    step: int
    name: str
    fault: str

    def __str__(self) -> str:
        return f"{self.operation}, {self.fault} at step {self.step} ({self.name})"


class Harness:
    """Both stores behind proxies, the service in front of them, and a client."""

    def __init__(self, stores: Stores, seed: int, operations: Sequence[str] = tuple(OPERATIONS)) -> None:
        self.report = Report()
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
        self._told: set[str] = set()
        self._client = Client(self._service, stores, self._chance)
        self._cases = itertools.cycle(self._take_turns([self._find_cases(name) for name in operations]))

    def close(self) -> None:
        self._service.close()
        self._other.close()
        for proxy in self._proxies.values():
            proxy.close()

    def _find_cases(self, operation: str) -> list[Case]:
        """Every fault at every step of an operation; one run without faults finds the steps."""
        attempt = self._client.prepare(operation)
        outcome = self._client.do(attempt)
        attempt.acknowledge(outcome)
        faults = FAULTS if operation in RACING else FAULTS[:-1]
        self._client.sweep()
        self._check(f"{operation}, undisturbed")
        steps = enumerate(outcome.steps, 1)
        return [Case(operation, step, name, fault) for step, name in steps for fault in faults]

    def _take_turns(self, cases: list[list[Case]]) -> list[Case]:
        """Operations take turns, each with its cases in shuffled order."""
        for own in cases:
            self._chance.shuffle(own)
        return [case for turn in itertools.zip_longest(*cases) for case in turn if case]

    def run_round(self) -> None:
        """Run one operation, one fault, one recovery."""
        case, report = next(self._cases), self.report
        report[case.operation][case.fault] += 1
        report["steps"][case.name] += 1
        attempt = self._client.prepare(case.operation)
        outcome = self._disturb(case, attempt)
        report["rounds"]["not reached"] += not outcome.reached
        self._judge(case, attempt, outcome)
        wait_until(lambda: all(proxy.is_idle() for proxy in self._proxies.values()))
        if self._chance.random() < 0.5:
            self._try_again(case, attempt, outcome)
        found = self._client.sweep()
        recovered = ("finished", "undone", "variants_removed", "orphan_objects")
        report["rounds"]["recovered"] += any(found[name] for name in recovered)
        self._check(f"{case}, answered {outcome.status or 'nothing'}")
        self._client.trim()

    def _disturb(self, case: Case, attempt: Attempt) -> Outcome:
        function, event = attempt.function, attempt.event
        if case.fault in ("kill before", "kill after"):
            return self._service.run(function, event, at_step(case.step, case.fault.removeprefix("kill ")))
        store = case.name.partition(".")[0]
        if case.fault == "race":
            return self._service.pause_at(function, event, case.step, lambda: self._race(case, attempt))
        if case.fault == "server killed":
            server = self._stores.postgres if store == "database" else self._stores.s3
            try:
                return self._service.pause_at(function, event, case.step, server.kill)
            finally:
                if not server.is_running():
                    server.start()
        proxy, fault = self._proxies[store], self._choose(case.fault, store)
        # Killed in the middle of a request, after at most two seconds. A request that missed the fault has
        # ended by then.
        kill_when = (lambda: proxy.happened.wait(2)) if case.fault == "kill during" else None
        try:
            return self._service.pause_at(
                function, event, case.step, lambda: proxy.break_with(fault), kill_when
            )
        finally:
            proxy.heal()

    def _race(self, case: Case, attempt: Attempt) -> None:
        """After it, the response to the first operation proves less."""
        outcome = self._client.race(attempt.image_id, self._other)
        if outcome.status not in IN_A_RACE:
            self.report.wrong.append(f"{case}, beside it: {outcome}")
        attempt.done = attempt.again = IN_A_RACE
        attempt.acknowledge = lambda _: None

    def _choose(self, fault: str, store: str) -> NetworkFault:
        after = self._chance.randrange(1, 300 if store == "database" else 5_000)
        mode: Mode = "stall" if fault == "kill during" else next(mode for mode in NETWORK if mode == fault)
        return NetworkFault(mode, after, once=self._chance.random() < 0.5)

    def _judge(self, case: Case, attempt: Attempt, outcome: Outcome) -> None:
        kind = "acknowledged" if outcome.status in attempt.done else "refused" if outcome.status else "killed"
        self.report[kind][case.operation] += 1
        if kind == "acknowledged":
            attempt.acknowledge(outcome)
        elif kind == "refused" and outcome.status not in UNDER_FAULT:
            self.report.wrong.append(f"{case}: {outcome}")

    def _try_again(self, case: Case, attempt: Attempt, first: Outcome) -> None:
        """The client sends the same event again, which must now succeed."""
        self.report["rounds"]["sent again"] += 1
        self._client.expire()
        outcome = self._service.run_patiently(attempt.function, attempt.event)
        if outcome.code == "upload_interrupted":
            outcome = self._service.run(attempt.function, attempt.event)
        if outcome.status not in attempt.done | attempt.again:
            self.report.wrong.append(f"{case}, answered {first.status}, sent again: {outcome}")
        else:
            attempt.acknowledge(outcome)

    def _check(self, context: str) -> None:
        ledger = self._client.ledger
        problems = [problem for problem in ledger.settle(self._stores) if problem not in self._told]
        self._told |= {*problems}  # a loss is reported once
        self.report.complain(context, problems)
        shown = [one for one in ledger.images.values() if one.image and "image" in one.places]
        self.report["rounds"]["images compared"] += len(shown)
        if shown and not self._client.check_delivery(shown[-1]):
            self.report.complain(context, ["the last image is not delivered"])
