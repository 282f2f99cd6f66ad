"""Rounds of writers that work at the same time. A mirror follows the feed meanwhile, and must end equal.

It reads either all the time, or when a webhook arrives. Webhooks are dropped, doubled and reordered, so their
content is ignored, and a rare timer reads the rest.
"""

import random
import select
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg2
from imageapi.database import db
from imageapi.errors import DatabaseUnavailableError, GoneError

from tests.faults.disturbances import Disturbances
from tests.faults.mirror import Mirror
from tests.faults.moments import Moments
from tests.faults.report import Report, repeat
from tests.faults.writers import OPERATIONS, Burst, Writer
from tests.integration.stores import Stores
from tests.support.waiting import wait_until

WRITERS = 4
FINE = {200, 201, 204, 404, 409, 412, 503}
"""Others work on the same images, trash and restore them, and a busy machine may take too long."""
RECENT = 12
"""Writers meet on the newest images."""
KEPT_TEXT = """
    SELECT subject_id FROM changes WHERE (before IS NOT NULL OR after IS NOT NULL)
        AND subject_id IN (SELECT subject_id FROM changes WHERE type = 'image.deleted')"""
RUNNING = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'image-api' AND pid <> %s"


class Mirrors:
    """The writers, and the mirror. This process's own settings must be those of the stores.

    Args:
        moments: of these stores, for occasional restores.
    """

    def __init__(self, stores: Stores, writers: int = WRITERS, moments: Moments | None = None) -> None:
        self._stores = stores
        self._moments = moments
        self._writers = [Writer(stores.environment) for _ in range(writers)]

    def close(self) -> None:
        for writer in self._writers:
            writer.close()
        db.close()

    def run(self, rounds: int, seed: int, *, hints: bool = False, stop: bool = False) -> Report:
        """Run rounds from empty tables.

        Args:
            hints: read when a webhook arrives, not all the time.
            stop: end when something is wrong.
        """
        self._stores.clear()
        follow = Run(self._stores, self._writers, random.Random(seed), hints=hints)

        def run_round() -> None:
            follow.run_round()
            if self._moments:
                follow.disturbances.restore(self._moments)

        repeat(run_round, rounds, follow.report, stop=stop)
        return follow.report


class Run:
    """One mirror and its rounds."""

    def __init__(self, stores: Stores, writers: list[Writer], chance: random.Random, *, hints: bool) -> None:
        self.report = Report()
        self._stores = stores
        self._writers = writers
        self._chance = chance
        self._mirror = Mirror()
        self._saved = self._mirror.save()
        self._channel = Channel(stores, chance, self.report["webhooks"]) if hints else None
        self.disturbances = Disturbances(stores, chance, self.report["disturbed"])

    def run_round(self) -> None:
        """A burst of every writer at once, followed by the mirror; then the comparison."""
        ids = sorted(self._mirror.images | self._mirror.trash)[-RECENT:]
        for writer in self._writers:
            writer.start(self._make_burst(ids))
        busy = list(self._writers)
        while busy:
            for writer in select.select(busy, [], [], 0.001)[0]:
                self._note(writer.read())
                busy.remove(writer)
            self._follow()
            self.disturbances.disturb(ids)
        self.disturbances.end()
        # A killed writer's last statement may still be running.
        (own,) = db.query("SELECT pg_backend_pid() AS pid")
        wait_until(lambda: not self._stores.execute(RUNNING, (own["pid"],)))
        self._read_pages()
        self._compare()

    def _make_burst(self, ids: list[str]) -> Burst:
        chance = self._chance
        names, weights = zip(*((name, weight) for name, (_, weight) in OPERATIONS.items()), strict=True)
        hook, kill_after, dice = None, 0.0, chance.random()
        if dice < 0.2:
            hook = ["step", chance.choice(["before", "after"]), chance.randint(1, 12), "kill"]
        elif dice < 0.4:
            kill_after = chance.uniform(1, 60)
        operations = chance.choices(names, weights, k=chance.randint(1, 5))
        if not ids:  # the operations need an image
            operations, hook, kill_after = ["upload", *operations], None, 0.0
        return Burst(chance.randrange(2**32), ids, operations, hook, kill_after)

    def _note(self, answer: dict[str, Any]) -> None:
        report = self.report
        if "killed" in answer:
            report["rounds"]["writers killed"] += 1
            if not answer["killed"]:
                report.wrong.append("a writer has crashed")
        for name, status in answer.get("statuses", []):
            report["operations"][name] += 1
            report["statuses"][str(status)] += 1
            if status not in FINE:
                report.wrong.append(f"{name} was answered {status}")

    def _follow(self) -> None:
        """Read a page, or all pages after a webhook or the timer; perhaps save, perhaps crash."""
        chance = self._chance
        if self._channel is None:
            if chance.random() < 0.3:  # so that several changes wait
                self._read_page()
        else:
            for _ in self._channel.deliver():
                self._read_pages()
            if chance.random() < 0.01:
                self._read_pages()
        dice = chance.random()
        if dice < 0.1:
            self._saved = self._mirror.save()
        elif dice < 0.13:
            self._take_wrong()
            self._mirror = Mirror(self._saved)
            self.report["rounds"]["restarts"] += 1

    def _read_pages(self) -> None:
        while self._read_page():
            pass

    def _read_page(self) -> bool:
        """Whether there may be more to read."""
        self.report["rounds"]["pages"] += 1
        try:
            return self._mirror.read(self._chance.choice([1, 2, 3, 5, 10, 200, 1_000])) > 0
        except GoneError as error:  # after a restore; all changes are kept, so they are "everything"
            self._mirror = Mirror()
            self.report["disturbed"][error.code] += 1
        except DatabaseUnavailableError:
            self.report["disturbed"]["pages unavailable"] += 1
        except psycopg2.Error as error:
            self.report.wrong.append(f"a page failed: {error}")
            return False
        return True

    def _take_wrong(self) -> None:
        self.report.wrong += self._mirror.wrong
        self._mirror.wrong.clear()

    def _compare(self) -> None:
        counts, wrong = self.report["rounds"], self.report.wrong
        self._take_wrong()
        counts["rounds"] += 1
        counts["images compared"] += len(self._mirror.images)
        counts["changes"] = self._stores.execute("SELECT count(*) AS n FROM changes")[0]["n"]
        before = len(wrong)
        wrong += [f"{image_id} is not deleted" for image_id in self._mirror.deleted]
        kept = self._stores.execute(KEPT_TEXT)
        wrong += [f"{row['subject_id']} is deleted, but not what it was" for row in kept]
        differences = self._mirror.find_differences(self._stores)
        self.report.complain(f"round {counts['rounds']}", differences)
        if len(wrong) > before:  # the next rounds find only new differences
            self._mirror = Mirror()
            self._mirror.read_all(1_000)
            self._mirror.wrong.clear()


class Channel:
    """Webhooks as a bad network delivers them: late, twice, in any order, or never."""

    def __init__(self, stores: Stores, chance: random.Random, counts: Counter[str]) -> None:
        self._stores = stores
        self._chance = chance
        self._counts = counts
        self._sent = 0
        self._under_way: list[dict[str, Any]] = []

    def deliver(self) -> Iterator[dict[str, Any]]:
        """The webhooks that arrive now."""
        for change in self._stores.changes():
            if change["sequence"] <= self._sent:
                continue
            self._sent = change["sequence"]
            copies = self._chance.choice([0, 0, 0, 1, 1, 2])
            self._counts[("dropped", "delivered once", "doubled")[copies]] += 1
            self._under_way += [change] * copies
        self._chance.shuffle(self._under_way)
        for _ in range(self._chance.randint(0, min(3, len(self._under_way)))):
            yield self._under_way.pop()
