"""Rounds: work that is sometimes killed, a restore to a random earlier moment, and a comparison with a model.

The model of a moment is the client's ledger of that moment. A moment may lie in a past that an earlier
restore has left: its objects may have been removed as orphans since, and come back from their versions.
"""

import io
import random
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from PIL import Image

from tests.faults.ledger import Known, Ledger
from tests.faults.moments import Moments
from tests.faults.operations import Client
from tests.faults.removals import REMOVALS
from tests.faults.service import Outcome, Service, at_step
from tests.integration.lifecycle import HTTP, deliver_event, image_event

OPERATIONS = (
    *("upload", "upload_large", "announce", "complete", "ingest", "refuse"),
    *("patch", "render", "render_large", *REMOVALS),
)
MAX_STEP = 12
"""Kills are spread over the first steps of an operation; one that has fewer is not killed."""
MIN_IMAGES, MAX_IMAGES = 4, 8
MAX_MOMENTS = 8


class Moment(NamedTuple):
    """A copy of the database, and what the client knew then."""

    copy: str
    ledger: Ledger


@dataclass
class Counts:
    """Totals over all rounds.

    Attributes:
        restored: keys by area that verify has brought back.
    """

    operations: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    restored: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    moments: int = 0
    images: int = 0
    orphans: int = 0
    wrong: list[str] = field(default_factory=list)

    def describe(self) -> str:
        """As text."""
        lines = [f"{self.rounds} restores, {self.moments} moments; {self.images} images compared."]
        lines += [f"{name.ljust(16)}{n:6}, killed {self.killed[name]}" for name, n in self.operations.items()]
        brought = ", ".join(f"{n} {area}" for area, n in sorted(self.restored.items()))
        lines.append(f"Brought back: {brought}. Removed as orphans: {self.orphans}.")
        return "\n".join([*lines, f"{len(self.wrong)} wrong" + (":" if self.wrong else "."), *self.wrong])


class Restores:
    """The service with both stores, a client, and the moments so far."""

    def __init__(self, moments: Moments, seed: int) -> None:
        self.counts = Counts()
        self._moments = moments
        self._stores = moments.stores
        self._chance = random.Random(seed)
        self._service = Service(moments.stores.environment)
        self._client = Client(self._service, moments.stores, Ledger(), self._chance)
        self._taken: list[Moment] = []

    def close(self) -> None:
        self._service.close()

    def run(self, rounds: int, report: Callable[[int], None] = lambda _: None) -> Counts:
        """Run rounds of work, each followed by a restore."""
        for number in range(1, rounds + 1):
            self._work()
            moment = self._chance.choice(self._taken)
            self._restore(moment)
            self.counts.rounds += 1
            report(number)
        return self.counts

    def _work(self) -> None:
        """Some operations, with a moment after a third of them and after the first; then deletions."""
        while len(self._client.ledger.images) < MIN_IMAGES:
            self._client.new_image()
        for number in range(self._chance.randint(4, 8)):
            self._operate(self._chance.choice(OPERATIONS))
            if number == 0 or self._chance.random() < 0.3:
                self._take_moment()
        for _ in range(self._chance.randint(1, 3)):
            self._operate("delete")
        if self._chance.random() < 0.5:
            self._settle("after work", self._client.sweep)

    def _operate(self, name: str) -> None:
        self._client.expire()  # those that the last operation held when it was killed
        attempt = self._client.prepare(name)
        self.counts.operations[name] += 1
        if self._chance.random() < 0.4:
            hook = at_step(self._chance.randint(1, MAX_STEP), self._chance.choice(["before", "after"]))
            outcome = self._service.kill_at(attempt.function, attempt.event, hook)
        else:
            outcome = self._service.run(attempt.function, attempt.event)
        if outcome.status in attempt.done:
            attempt.acknowledge(outcome)
        elif outcome.status == 0:
            self.counts.killed[name] += 1
        else:
            self.counts.wrong.append(f"{name}: {outcome}")

    def _take_moment(self) -> None:
        self._taken.append(Moment(self._moments.take(), deepcopy(self._client.ledger)))
        self.counts.moments += 1
        if len(self._taken) > MAX_MOMENTS:
            forgotten = self._taken.pop(self._chance.randrange(MAX_MOMENTS))
            self._moments.forget(forgotten.copy)

    def _restore(self, moment: Moment) -> None:
        """What the runbook says: the database, verify, and then the sweep."""
        context = f"round {self.counts.rounds + 1}, {moment.copy}"
        self._moments.restore(moment.copy)
        self._client.ledger = deepcopy(moment.ledger)
        self._verify_interrupted()
        found = self._verify(restore=True)
        self._complain(context, [*found["missing"], *found["different"], *found["lost"]])
        again = self._verify(restore=False)
        self._complain(context, [key for kind in ("missing", "different", "lost") for key in again[kind]])
        self._settle(context, self._client.sweep)
        self._settle(context, self._sweep_all, orphans=True)
        self._check_images(context)
        self._client.trim(MAX_IMAGES)  # so that rounds do not get slower

    def _verify_interrupted(self) -> None:
        """One verify that is killed anywhere, or not at all."""
        if self._chance.random() < 0.5:
            event = {"verify": {"restore": True}}
            hook = at_step(self._chance.randint(1, 40), self._chance.choice(["before", "after"]))
            outcome = self._service.kill_at("SweepFunction", event, hook)
            self.counts.killed["verify"] += outcome.status == 0
            if outcome.status:
                self._count_restored(outcome.body)

    def _verify(self, *, restore: bool) -> dict[str, Any]:
        """All slices of a verify, as one."""
        found: dict[str, Any] = {"after": ""}
        lists: dict[str, list[str]] = {kind: [] for kind in ("missing", "different", "lost", "restored")}
        while True:
            event = {"verify": {"restore": restore, "after": found["after"]}}
            outcome = self._service.run("SweepFunction", event)
            assert outcome.status == 200, outcome
            found = outcome.body
            for kind, keys in lists.items():
                keys += found[kind]
            if not found["after"]:
                break
        self._count_restored(lists)
        rows = self._stores.execute(
            "SELECT count(*) AS n FROM image_metadata UNION ALL SELECT count(*) FROM trashed_images"
        )
        if found["images"] != sum(row["n"] for row in rows):
            self.counts.wrong.append(f"{found['images']} images are counted, not {rows}")
        return lists

    def _count_restored(self, found: dict[str, Any]) -> None:
        self.counts.restored.update(key.partition("/")[0] for key in found["restored"])

    def _sweep_all(self) -> dict[str, Any]:
        """The sweep that an operator runs when the orphans are understood."""
        self._client.expire()
        outcome = self._service.run("SweepFunction", {"force": True, "object_grace_seconds": -60})
        assert outcome.status == 200, outcome
        self.counts.orphans += outcome.body["orphan_objects"]
        report: dict[str, Any] = outcome.body
        return report

    def _settle(self, context: str, sweep: Callable[[], dict[str, Any]], *, orphans: bool = False) -> None:
        """Sweep, and compare all rows and objects with the ledger.

        Args:
            orphans: whether objects without a row count as wrong.
        """
        report = sweep()
        self._complain(context, [f"missing: {image_id}" for image_id in report["missing_ids"]])
        problems = self._client.ledger.settle(self._stores)
        self._complain(context, [text for text in problems if orphans or "object without a row" not in text])

    def _check_images(self, context: str) -> None:
        for image_id, known in self._client.ledger.images.items():
            self.counts.images += 1
            if problem := self._find_problem(image_id, known):
                self._complain(context, [f"{problem}: {image_id}"])

    def _find_problem(self, image_id: str, known: Known) -> str:
        answer = self._service.run("ImageFunction", image_event("GET", image_id))
        if known.places == {"trashed"}:
            return "" if answer.status == 404 else f"GET of a trashed image answers {answer.status}"
        if answer.status != 200:
            return f"GET answers {answer.status}"
        image = answer.body["data"]
        changed = image["title"].startswith("changed")
        if image["title"] not in known.titles or image["tags"] != ([image["title"]] if changed else []):
            return f"title {image['title']!r} and tags {image['tags']} are not those of the model"
        if self._load(image["urls"]["original"]) != known.data:
            return "the original has other bytes"
        Image.open(io.BytesIO(self._load(image["urls"]["thumbnail"]))).load()
        known.image = image
        return ""

    def _load(self, url: str) -> bytes:
        outcome: Outcome = self._service.run("DeliverFunction", deliver_event(url, "image/webp"))
        return bytes(HTTP.request("GET", outcome.location).data) if outcome.status == 302 else b""

    def _complain(self, context: str, problems: list[str]) -> None:
        self.counts.wrong += [f"{context}: {problem}" for problem in problems]
