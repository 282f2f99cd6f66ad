"""Client operations: the event of each, and what its response means."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.ledger import Known, Ledger
from tests.faults.removals import REMOVALS
from tests.faults.service import Outcome, Service, at_step
from tests.integration.client import upload_event
from tests.integration.leftovers import expire, put
from tests.integration.lifecycle import (
    HTTP,
    announce_event,
    arrived,
    complete_event,
    delete_event,
    deliver_event,
    image_event,
    post_file,
    restore_event,
)
from tests.integration.stores import Stores
from tests.support import pictures
from tests.support.events import Event

BROKEN = pictures.truncated(pictures.noisy("JPEG"))
VARIANTS = ("image/webp", "image/jpeg", "image/avif")


@dataclass
class Attempt:
    """One operation, prepared.

    Attributes:
        done: the statuses that acknowledge it; ``again``: those that do when the same event is sent again.
        acknowledge: records the response in the ledger.
        image_id: the image that it moves.
    """

    function: str
    event: Event
    done: set[int]
    again: set[int]
    acknowledge: Callable[[Outcome], object] = lambda _: None
    image_id: str = ""


class Client:
    """Prepares operations without faults, and remembers the responses."""

    def __init__(self, service: Service, stores: Stores, ledger: Ledger, chance: random.Random) -> None:
        self.service = service
        self.stores = stores
        self.ledger = ledger
        self._chance = chance
        self._number = 0

    def prepare(self, operation: str) -> Attempt:
        """One of REMOVALS, ``upload``, ``upload_unique``, ``upload_large``, ``announce``, ``complete``,
        ``ingest``, ``refuse``, ``patch``, ``render``, ``render_large`` or ``sweep``. Pictures that are
        completed or ingested are large enough for an intermediate.
        """
        if operation in REMOVALS:
            return REMOVALS[operation](self)
        prepared: Attempt = getattr(self, f"_{operation}")()
        return prepared

    def move(self, image_id: str, event: Event, done: set[int], again: set[int], place: str) -> Attempt:
        """An operation that moves an image to another place."""
        known = self.ledger.images[image_id]
        known.places.add(place)

        def acknowledge(_: Outcome) -> None:
            known.places = {place}

        return Attempt("ImageFunction", event, done, again, acknowledge, image_id)

    def new_image(self, *, large: bool = False) -> str:
        """Upload an image and have it acknowledged."""
        attempt = self._upload_large() if large else self._upload()
        attempt.acknowledge(self.do(attempt))
        return next(reversed(self.ledger.images))

    def do(self, attempt: Attempt) -> Outcome:
        outcome = self.service.run(attempt.function, attempt.event)
        assert outcome.status in attempt.done, outcome
        return outcome

    def _picture(self, *, large: bool = False) -> tuple[bytes, str]:
        """Bytes and a title that have not been used before."""
        self._number += 1
        size = self._chance.choice([3_000, 60_000, 400_000])
        if large:
            data = pictures.large_jpeg() + str(self._number).encode()  # decoders ignore bytes after the end
        else:
            data = pictures.jpeg_of_size(size, seed=self._number)
        return data, f"title {self._number}"

    def _some_image(self) -> str:
        """The id of an existing image, or of a new one, whose variants have not been made yet."""
        known = self.ledger.images.items()
        sure = [image_id for image_id, one in known if one.image and one.places == {"image"}]
        return self._chance.choice(sure) if len(sure) > 3 else self.new_image()

    def _upload(self, on_duplicate: str | None = None, *, large: bool = False) -> Attempt:
        data, title = self._picture(large=large)
        event = upload_event(data, {"title": title}, "a.jpg", f"key {self._number}", on_duplicate)
        self.ledger.unnamed[title] = data

        def acknowledge(outcome: Outcome) -> None:
            self.ledger.unnamed.pop(title, None)
            image = outcome.body["data"]
            self.ledger.images[image["id"]] = Known(data, [title], image=image)

        return Attempt("UploadFunction", event, {200, 201}, {200}, acknowledge)

    def _upload_unique(self) -> Attempt:
        return self._upload("return")

    def _upload_large(self) -> Attempt:
        return self._upload(large=True)

    def _announce(self) -> Attempt:
        data, title = self._picture()
        event = announce_event(data, f"key {self._number}", metadata={"title": title})
        return Attempt("UploadFunction", event, {200, 201}, {200})

    def _arrive(self, data: bytes, title: str) -> str:
        announced = self.do(
            Attempt("UploadFunction", announce_event(data, metadata={"title": title}), {201}, set())
        )
        ticket = announced.body["data"]
        assert post_file(ticket["form"], data) < 300
        return str(ticket["id"])

    def _complete(self) -> Attempt:
        data, title = self._picture(large=True)
        image_id = self._arrive(data, title)
        # An upload that has fully arrived must become an image, whichever process completes it.
        known = self.ledger.images[image_id] = Known(data, [title])

        def acknowledge(outcome: Outcome) -> None:
            known.image = outcome.body["data"]

        return Attempt("UploadFunction", complete_event(image_id), {200, 201}, {200}, acknowledge)

    def _ingest(self) -> Attempt:
        data, title = self._picture(large=True)
        image_id = self._arrive(data, title)
        self.ledger.images[image_id] = Known(data, [title])
        return Attempt("UploadFunction", arrived(image_id), {200}, {200})

    def _refuse(self) -> Attempt:
        image_id = self._arrive(BROKEN, "broken")
        self.ledger.refused.add(image_id)
        return Attempt("UploadFunction", complete_event(image_id), {422}, {422})

    def viewed_image(self) -> str:
        """The id of an existing image with a variant."""
        image_id = self._some_image()
        self.do(self._render(image_id))
        return image_id

    def _patch(self, image_id: str | None = None) -> Attempt:
        image_id = image_id or self._some_image()
        self._number += 1
        title = f"changed {self._number}"
        known = self.ledger.images[image_id]
        known.titles.append(title)

        def acknowledge(_: Outcome) -> None:
            known.titles = [title]

        event = image_event("PATCH", image_id, {"title": title, "tags": [title]})
        return Attempt("ImageFunction", event, {200}, {200}, acknowledge)

    def _render(self, image_id: str | None = None) -> Attempt:
        known = self.ledger.images[image_id or self.new_image()]
        assert known.image
        event = deliver_event(known.image["urls"]["thumbnail"], self._chance.choice(VARIANTS))
        return Attempt("DeliverFunction", event, {302}, {302})

    def _render_large(self) -> Attempt:
        return self._render(self.new_image(large=True))

    def _sweep(self) -> Attempt:
        """A sweep with leftovers of every kind."""
        self.do(self._announce())
        self._complete()
        self._refuse()
        for operation in ("delete", "trash", "render"):
            self.kill_after(self.prepare(operation), 2)
        put(self.stores, f"originals/orphan-{self._number}")
        self.expire()
        return self.sweep_attempt()

    def sweep_attempt(self, acknowledge: Callable[[Outcome], object] = lambda _: None) -> Attempt:
        """A sweep that takes all objects for old."""
        return Attempt("SweepFunction", {"object_grace_seconds": -60}, {200}, {200}, acknowledge)

    def kill_after(self, attempt: Attempt, step: int) -> None:
        """Do an operation until it is killed after a step."""
        self.service.kill_at(attempt.function, attempt.event, at_step(step, "after"))

    def race(self, image_id: str, service: Service) -> Outcome:
        """One more operation on an image, while another is being done; by another process."""
        known = self.ledger.images[image_id]
        operation = self.choose(["trash", "restore", "delete", "patch", "view"])
        if operation == "view":
            assert known.image
            return service.run("DeliverFunction", deliver_event(known.image["urls"]["preview"], "image/webp"))
        if operation == "patch":
            return service.run("ImageFunction", self._patch(image_id).event)
        known.places.add({"trash": "trashed", "restore": "image", "delete": "gone"}[operation])
        make = {"trash": lambda name: image_event("DELETE", name), "restore": restore_event}
        return service.run("ImageFunction", make.get(operation, delete_event)(image_id))

    def choose(self, values: list[Any]) -> Any:
        return self._chance.choice(values)

    def new_key(self) -> str:
        """An Idempotency-Key that has not been used before."""
        self._number += 1
        return f"batch {self._number}"

    def expire(self) -> None:
        """Expire the leases of everything in progress."""
        expire(self.stores)

    def sweep(self) -> dict[str, Any]:
        """Run one sweep without faults."""
        self.expire()
        outcome = self.service.run("SweepFunction", {"object_grace_seconds": -60})
        assert outcome.status == 200, outcome
        report: dict[str, Any] = outcome.body
        return report

    def check_delivery(self, known: Known) -> bool:
        """Whether a link given to a client leads to exactly these bytes."""
        assert known.image
        outcome = self.service.run("DeliverFunction", deliver_event(known.image["urls"]["original"]))
        return outcome.status == 302 and HTTP.request("GET", outcome.location).data == known.data

    def trim(self, most: int = 8) -> None:
        """Delete the oldest images, so that rounds do not get slower."""
        while len(self.ledger.images) > most:
            image_id = next(iter(self.ledger.images))
            self.do(Attempt("ImageFunction", delete_event(image_id), {204}, set()))
            self.ledger.forget(image_id)
