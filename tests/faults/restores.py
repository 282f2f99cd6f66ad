"""Rounds: work that is sometimes killed, a restore to a random earlier moment, and a comparison with a model.

The model of a moment is the client's ledger of that moment. A moment may lie in a past that an earlier
restore has left: its objects may have been removed as orphans since, and come back from their versions.
"""

import io
import random
from copy import deepcopy
from typing import Any, NamedTuple

from PIL import Image

from tests.faults.ledger import Known, Ledger
from tests.faults.moments import Moments
from tests.faults.operations import OPERATIONS, Client
from tests.faults.report import Report
from tests.faults.service import Service, at_step
from tests.integration.lifecycle import image_event

WORK = [name for name in OPERATIONS if name not in ("upload_unique", "sweep")]
MAX_STEP = 12
"""Kills are spread over the first steps of an operation; one that has fewer is not killed."""
MIN_IMAGES, MAX_IMAGES = 4, 8
MAX_MOMENTS = 8


class Moment(NamedTuple):
    """A copy of the database, and what the client knew then."""

    copy: str
    ledger: Ledger


class Restores:
    """The service with both stores, a client, and the moments so far."""

    def __init__(self, moments: Moments, seed: int) -> None:
        self.report = Report()
        self._moments = moments
        self._stores = moments.stores
        self._chance = random.Random(seed)
        self._service = Service(moments.stores.environment)
        self._client = Client(self._service, moments.stores, self._chance)
        self._taken: list[Moment] = []
        self.close = self._service.close

    def run_round(self) -> None:
        """Work, and a restore."""
        self._work()
        self._restore(self._chance.choice(self._taken))

    def _work(self) -> None:
        """Some operations, with a moment after a third of them and after the first; then deletions."""
        while len(self._client.ledger.images) < MIN_IMAGES:
            self._client.new_image()
        for number in range(self._chance.randint(4, 8)):
            self._operate(self._chance.choice(WORK))
            if number == 0 or self._chance.random() < 0.3:
                self._take_moment()
        for _ in range(self._chance.randint(1, 3)):
            self._operate("delete")
        if self._chance.random() < 0.5:
            self._settle("after work", self._client.sweep())

    def _operate(self, name: str) -> None:
        self._client.expire()  # those that the last operation held when it was killed
        attempt = self._client.prepare(name)
        self.report["operations"][name] += 1
        hook = None
        if self._chance.random() < 0.4:
            hook = at_step(self._chance.randint(1, MAX_STEP), self._chance.choice(["before", "after"]))
        outcome = self._service.run(attempt.function, attempt.event, hook)
        if outcome.status in attempt.done:
            attempt.acknowledge(outcome)
        elif outcome.status == 0:
            self.report["killed"][name] += 1
        else:
            self.report.wrong.append(f"{name}: {outcome}")

    def _take_moment(self) -> None:
        self._taken.append(Moment(self._moments.take(), deepcopy(self._client.ledger)))
        self.report["rounds"]["moments"] += 1
        if len(self._taken) > MAX_MOMENTS:
            forgotten = self._taken.pop(self._chance.randrange(MAX_MOMENTS))
            self._moments.forget(forgotten.copy)

    def _restore(self, moment: Moment) -> None:
        """Follow the runbook: the database, verify, and then the sweep."""
        report = self.report
        report["rounds"]["restores"] += 1
        context = f"round {report['rounds']['restores']}, {moment.copy}"
        self._moments.restore(moment.copy)
        self._client.ledger = deepcopy(moment.ledger)
        self._verify_interrupted()
        for restore in (True, False):
            found = self._verify(restore=restore)
            report.complain(
                context, [key for kind in ("missing", "different", "lost") for key in found[kind]]
            )
        self._settle(context, self._client.sweep())
        self._settle(context, self._sweep_all(), orphans=True)
        for image_id, known in self._client.ledger.images.items():
            report["rounds"]["images compared"] += 1
            if problem := self._find_problem(image_id, known):
                report.complain(context, [f"{problem}: {image_id}"])
        self._client.trim(MAX_IMAGES)  # so that rounds do not get slower

    def _verify_interrupted(self) -> None:
        """One verify that is killed anywhere, or not at all."""
        if self._chance.random() < 0.5:
            hook = at_step(self._chance.randint(1, 40), self._chance.choice(["before", "after"]))
            outcome = self._service.run("SweepFunction", {"verify": {"restore": True}}, hook)
            self.report["killed"]["verify"] += outcome.status == 0
            if outcome.status:
                self._count_restored(outcome.body)

    def _verify(self, *, restore: bool) -> dict[str, Any]:
        """All slices of a verify, as one."""
        found: dict[str, Any] = {"after": ""}
        lists: dict[str, list[str]] = {kind: [] for kind in ("missing", "different", "lost", "restored")}
        while True:
            found = self._sweep_with({"verify": {"restore": restore, "after": found["after"]}})
            for kind, keys in lists.items():
                keys += found[kind]
            if not found["after"]:
                break
        self._count_restored(lists)
        rows = self._stores.execute(
            "SELECT count(*) AS n FROM image_metadata UNION ALL SELECT count(*) FROM trashed_images"
        )
        if found["images"] != sum(row["n"] for row in rows):
            self.report.wrong.append(f"{found['images']} images are counted, not {rows}")
        return lists

    def _count_restored(self, found: dict[str, Any]) -> None:
        self.report["restored"].update(key.partition("/")[0] for key in found["restored"])

    def _sweep_all(self) -> dict[str, Any]:
        """The sweep that an operator runs after checking the orphans."""
        self._client.expire()
        report = self._sweep_with({"force": True, "object_grace_seconds": -60})
        self.report["rounds"]["orphans removed"] += report["orphan_objects"]
        return report

    def _sweep_with(self, event: dict[str, Any]) -> dict[str, Any]:
        outcome = self._service.run("SweepFunction", event)
        assert outcome.status == 200, outcome
        body: dict[str, Any] = outcome.body
        return body

    def _settle(self, context: str, report: dict[str, Any], *, orphans: bool = False) -> None:
        """Compare all rows and objects with the ledger after a sweep.

        Args:
            orphans: whether objects without a row count as wrong.
        """
        self.report.complain(context, [f"missing: {image_id}" for image_id in report["missing_ids"]])
        problems = self._client.ledger.settle(self._stores)
        found = [text for text in problems if orphans or "object without a row" not in text]
        self.report.complain(context, found)

    def _find_problem(self, image_id: str, known: Known) -> str:
        answer = self._service.run("ImageFunction", image_event("GET", image_id))
        if known.places == {"trashed"}:
            return "" if answer.status == 404 else f"GET of a trashed image answers {answer.status}"
        if answer.status != 200:
            return f"GET answers {answer.status}"
        image = known.image = answer.body["data"]
        changed = image["title"].startswith("changed")
        if image["title"] not in known.titles or image["tags"] != ([image["title"]] if changed else []):
            return f"title {image['title']!r} and tags {image['tags']} are not those of the model"
        if not self._client.check_delivery(known):
            return "the original has other bytes"
        Image.open(io.BytesIO(self._client.load(image["urls"]["thumbnail"], "image/webp"))).load()
        return ""
